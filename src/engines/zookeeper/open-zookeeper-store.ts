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
  readonly endpoints: readonly string[];
  /** The path under which everything lies: "lockstep", unless given. */
  readonly namespace?: string | undefined;
  /** Encrypts the connections; `true` is enough where Node trusts the servers' certificates. */
  readonly tls?: boolean | TlsFiles | undefined;
  /** With a password: for nodes that nobody else may see or change, by ZooKeeper's digest scheme. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/**
 * Opens the store in a namespace of a ZooKeeper ensemble, of version 3.6 or later.
 *
 * *Failure*: 'unavailable' when no server answers, in a few seconds, or when the password is another one.
 */
export async function openZookeeperStore(options: OpenZookeeperOptions): Promise<ZookeeperStore> {
  checkOptions(options, ["endpoints", "namespace", "tls", "username", "password", "clock"]);
  const { endpoints: named, namespace = defaultNamespace, tls = false, clock = systemClock } = options;
  if (!Array.isArray(named) || named.length === 0) {
    throw new LockstepError("bad-input", 'name the servers, as in { endpoints: ["localhost:2181"] }');
  }
  const { endpoints } = parseServerAddress(`zookeeper://${named.join(",")}`, { defaultPort });
  const ensemble = new Ensemble({
    endpoints,
    tls: tls === true ? {} : tls === false ? undefined : tls,
    credentials: credentialsOf(options),
    clock,
  });
  return ZookeeperStore.open(ensemble, new Layout(namespace));
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
    credentials: credentialsOf({ username, password }),
    clock,
  });
  return ZookeeperStore.open(ensemble, layout);
}

/** As the digest scheme wants them. */
function credentialsOf({ username, password }: Pick<OpenZookeeperOptions, "username" | "password">) {
  return username === undefined ? undefined : `${username}:${password ?? ""}`;
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
