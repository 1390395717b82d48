import { describeOn } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import { startEtcdCluster } from "../rig/etcd-cluster.js";
import { playDays } from "./play-days.js";

function address(hosts: string, namespace: string): string {
  return `etcd://${hosts}/${namespace}`;
}

describeOn("etcd", "on etcd", () => {
  playDays({
    engine: "etcd",
    // Its shortest.
    ttlMs: 2000,
    async start() {
      const server = await startEtcd();
      return {
        server,
        address: (namespace, port = server.port) => address(`127.0.0.1:${port}`, namespace),
        compact: () => compact(server.port),
        stop: () => server.stop(),
      };
    },
    async startCluster() {
      const cluster = await startEtcdCluster();
      const leader = cluster.leaderHost;
      return Object.assign(cluster, {
        address: (namespace: string) => address(cluster.hosts, namespace),
        leaderAddress: (namespace: string) => address(leader, namespace),
      });
    },
  });
});

/** All history up to now is forgotten. */
async function compact(port: number): Promise<void> {
  const ask = async (call: string, body: object) => {
    const reply = await fetch(`http://127.0.0.1:${port}/v3/kv/${call}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return (await reply.json()) as { header?: { revision: string } };
  };
  const { header } = await ask("range", { key: "AA==" });
  await ask("compaction", { revision: header?.revision, physical: true });
}
