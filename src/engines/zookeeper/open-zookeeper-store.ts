import { readFileSync } from "node:fs";
import { systemClock, type Clock } from "../../base/clock.js";
import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { parseServerAddress } from "../../store/server-address.js";
import { Ensemble } from "./client/ensemble.js";
import type { TlsFiles } from "./client/wire.js";
import { Layout } from "./layout.js";
import { ZookeeperStore } from "./zookeeper-store.js";

const defaultPort = 2181;
const defaultNamespace = "lockstep";

export interface OpenZookeeperOptions {
  /** The servers of one ensemble, as in `["zk1:2181", "zk2:2181"]`. */
  readonly servers: readonly string[];
  /** The path under which everything lies: "lockstep", unless given. */
  readonly namespace?: string | undefined;
  /** Encrypts; with an own authority, or a certificate to show, in PEM form. */
  readonly tls?: TlsFiles | undefined;
  /** For nodes that nobody else may see or change, by ZooKeeper's digest scheme. */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/** Opens the store in a namespace of a ZooKeeper ensemble, of version 3.6 or later. */
export async function openZookeeperStore(options: OpenZookeeperOptions): Promise<ZookeeperStore> {
  checkOptions(options, ["servers", "namespace", "tls", "credentials", "clock"]);
  const { servers, namespace = defaultNamespace, tls, credentials, clock = systemClock } = options;
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new LockstepError("bad-input", 'name the servers, as in { servers: ["localhost:2181"] }');
  }
  const { endpoints } = parseServerAddress(`zookeeper://${servers.join(",")}`, { defaultPort });
  const digest = credentials && `${credentials.username}:${credentials.password}`;
  const layout = new Layout(namespace);
  return ZookeeperStore.open(new Ensemble({ endpoints, tls, credentials: digest, clock }), layout);
}

/**
 * The store at `zookeeper://user:password@host1:2181,host2:2181/namespace`; `zookeepers://` encrypts, with
 * `?ca=FILE&cert=FILE&key=FILE` where need be.
 */
export async function zookeeperStoreAt(
  address: string,
  { clock }: { readonly clock: Clock },
): Promise<ZookeeperStore> {
  const files = ["ca", "cert", "key"] as const;
  const { scheme, username, password, endpoints, path, parameters } = parseServerAddress(address, {
    defaultPort,
    known: files,
  });
  const isSecure = scheme === "zookeepers";
  if (!isSecure && parameters.size > 0) {
    throw new LockstepError("bad-input", `only "zookeepers://" is encrypted, and takes ${files.join(", ")}`);
  }
  const contents = files.map((name) => [name, contentOf(name, parameters.get(name))] as const);
  const layout = new Layout(path === "" ? defaultNamespace : path.replace(/\/$/, ""));
  const ensemble = new Ensemble({
    endpoints,
    tls: isSecure ? Object.fromEntries(contents) : undefined,
    credentials: username === undefined ? undefined : `${username}:${password ?? ""}`,
    clock,
  });
  return ZookeeperStore.open(ensemble, layout);
}

function contentOf(name: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new LockstepError("bad-input", `the file of "${name}" in the address cannot be read: ${file}`, {
      cause,
    });
  }
}
