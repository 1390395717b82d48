import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { systemClock, type Clock } from "../../base/clock.js";
import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { parseServerAddress } from "../../store/server-address.js";
import { Cluster, type User } from "./cluster.js";
import { EtcdStore } from "./etcd-store.js";
import { Keyspace } from "./keyspace.js";
import { Member, type Certificates } from "./member.js";

const defaultNamespace = "lockstep";

/** Texts in PEM. */
export interface EtcdTls {
  /** Who vouches for the servers; without it, those whom Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** Our own certificate and its key, where the servers want to see one. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
}

export interface OpenEtcdOptions {
  /** The members of the cluster, as in `["etcd-1:2379", "etcd-2:2379"]`. */
  readonly endpoints: readonly string[];
  /** Keeps applications apart that share a cluster: all keys begin with it and a slash. */
  readonly namespace?: string | undefined;
  /** Encrypts the connections; `true` is enough where Node trusts the servers' certificates. */
  readonly tls?: boolean | EtcdTls | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/**
 * Opens a store in an etcd cluster, 3.4 or later.
 *
 * *Failure*: 'unavailable' when no member can be reached or answers, in a few seconds; 'missing-peer'.
 */
export async function openEtcdStore(options: OpenEtcdOptions): Promise<EtcdStore> {
  checkOptions(options, ["endpoints", "namespace", "tls", "username", "password", "clock"]);
  const { namespace = defaultNamespace, clock = systemClock } = options;
  const space = new Keyspace(namespace);
  checkEndpoints(options.endpoints);
  const user = userOf(options);
  const certificates = certificatesFrom(options.tls);
  const members = options.endpoints.map((endpoint) => new Member(endpoint, certificates, clock));
  const store = new EtcdStore(new Cluster(members, user, clock), space, clock);
  try {
    // A wrong address or password is told of here, and not by the first lock.
    await store.read({ key: "any", atLeast: 0n });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Opens the store at `etcd://user:password@host1:2379,host2:2379/namespace`. With `etcds:` it is encrypted,
 * and `?ca=…&cert=…&key=…` may name files in PEM.
 */
export async function etcdStoreAt(address: string, { clock }: { clock: Clock }): Promise<EtcdStore> {
  const isEncrypted = address.startsWith("etcds:");
  const known = isEncrypted ? ["ca", "cert", "key"] : [];
  const found = parseServerAddress(address, { defaultPort: 2379, known });
  const files = [...found.parameters].map(async ([name, path]) => [name, await contentOf(path)] as const);
  return openEtcdStore({
    endpoints: found.endpoints.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`),
    namespace: found.path === "" ? undefined : found.path,
    tls: isEncrypted && Object.fromEntries(await Promise.all(files)),
    username: found.username,
    password: found.password,
    clock,
  });
}

function checkEndpoints(endpoints: readonly string[]): void {
  const hostAndPort = /^(?:\[[\da-f:.]+\]|[^\s/?#@:%[\]]+):(\d{1,5})$/i;
  const isHostAndPort = (endpoint: unknown) => {
    const [, port] = (typeof endpoint === "string" && hostAndPort.exec(endpoint)) || [];
    return Number(port) > 0 && Number(port) < 65_536;
  };
  if (Array.isArray(endpoints) && endpoints.length > 0 && endpoints.every(isHostAndPort)) return;
  throw new LockstepError("bad-input", 'endpoints must be a list of hosts with ports, as in ["etcd-1:2379"]');
}

function userOf({ username, password }: OpenEtcdOptions): User | undefined {
  if (username === undefined && password === undefined) return undefined;
  if (username !== undefined && password !== undefined) return { username, password };
  throw new LockstepError("bad-input", "a username needs a password, and a password a username");
}

function certificatesFrom(tls: boolean | EtcdTls | undefined): Certificates {
  if (tls === undefined || tls === false) return undefined;
  const pem = (text: string | Uint8Array) => (typeof text === "string" ? text : Buffer.from(text));
  const { ca, cert, key } = tls === true ? {} : tls;
  const given = {
    ...(ca && { ca: pem(ca) }),
    ...(cert && { cert: pem(cert) }),
    ...(key && { key: pem(key) }),
  };
  try {
    // Looked at here, and not when it is first connected.
    createSecureContext(given);
    return given;
  } catch (cause) {
    throw new LockstepError("bad-input", `the certificates or the key cannot be used: ${String(cause)}`, {
      cause,
    });
  }
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new LockstepError("bad-input", `cannot read ${path}, which the address names: ${String(cause)}`, {
      cause,
    });
  }
}
