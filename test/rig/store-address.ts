import type { ServerName } from "./available.js";

const forms: Record<ServerName, (hosts: string, namespace: string) => string> = {
  etcd: (hosts, namespace) => `etcd://${hosts}/${namespace}`,
  postgres: (hosts, namespace) => `postgres://postgres@${hosts}/postgres?namespace=${namespace}`,
  redis: (hosts, namespace) => `redis://${hosts}?namespace=${namespace}`,
  zookeeper: (hosts, namespace) => `zookeeper://${hosts}/${namespace}`,
};

/** The address of a store that nobody else uses, on a server that the rig has started. */
export function storeAddress(engine: ServerName, hosts: string, namespace: string): string {
  return forms[engine](hosts, namespace);
}
