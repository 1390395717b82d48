import { readFileSync } from "node:fs";
import type * as ioredisPackage from "ioredis";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import { systemClock, type Clock } from "../../base/clock.js";
import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { checkName } from "../../store/keys.js";
import { parseServerAddress, withoutPassword, type ServerAddress } from "../../store/server-address.js";
import type { Client } from "./clients.js";
import { RedisStore } from "./redis-store.js";

export interface OpenRedisOptions {
  /**
   * A client of ioredis, of one server, of sentinels or of a cluster; or the options of one. It is not used
   * itself, and not closed: our connections are made like it.
   */
  readonly redis: Redis | Cluster | RedisOptions;
  /** Stores of different namespaces never meet; "lockstep" unless given. */
  readonly namespace?: string | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/** Opens a store on a Redis server, which is connected to at once. */
export async function openRedisStore(options: OpenRedisOptions): Promise<RedisStore> {
  checkOptions(options, ["redis", "namespace", "clock"]);
  const { redis, namespace = "lockstep", clock = systemClock } = options;
  checkName("the namespace", namespace);
  if (/[{}]/.test(namespace)) {
    throw new LockstepError("bad-input", "the namespace must be without braces, for Redis reads them itself");
  }
  const store = new RedisStore(await modelOf(redis), namespace, clock);
  await store.open();
  return store;
}

/**
 * `redis://user:password@host:6379/0?namespace=app`, where the path is the number of the database;
 * `rediss://` for TLS, with `ca`, `cert` and `key` for files. With `sentinel`, the name of a master, the
 * hosts are sentinels.
 */
export async function redisStoreAt(address: string, { clock }: { clock: Clock }): Promise<RedisStore> {
  const parsed = parseServerAddress(address, {
    defaultPort: 6379,
    known: ["namespace", "sentinel", "ca", "cert", "key"],
  });
  return openRedisStore({
    redis: redisOptions(parsed, address),
    namespace: parsed.parameters.get("namespace"),
    clock,
  });
}

function redisOptions(parsed: ServerAddress, address: string): RedisOptions {
  const { scheme, endpoints, path, parameters, username, password } = parsed;
  if (!/^\d*$/.test(path)) {
    throw fault(address, "its path must be the number of a database; give a namespace by ?namespace=NAME");
  }
  const master = parameters.get("sentinel");
  if (endpoints.length > 1 && master === undefined) {
    throw fault(
      address,
      "of several hosts it must be known what they are: for sentinels add ?sentinel=MASTER, the name of " +
        "what they guard; for a cluster give openRedisStore a client",
    );
  }
  const where = master === undefined ? endpoints[0]! : { sentinels: [...endpoints], name: master };
  const who: RedisOptions = {};
  if (username !== undefined) who.username = username;
  if (password !== undefined) who.password = password;
  const tls = scheme === "rediss" ? { tls: tlsOptions(parameters, address) } : {};
  return { ...where, ...who, ...tls, db: Number(path) };
}

function tlsOptions(parameters: ReadonlyMap<string, string>, address: string) {
  const files: Partial<Record<"ca" | "cert" | "key", Buffer>> = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const file = parameters.get(name);
    if (file === undefined) continue;
    try {
      files[name] = readFileSync(file);
    } catch (cause) {
      throw fault(address, `the file of ${name} cannot be read: ${(cause as Error).message}`);
    }
  }
  return files;
}

function fault(address: string, reason: string): LockstepError {
  return new LockstepError("bad-input", `cannot connect to ${withoutPassword(address)}: ${reason}`);
}

async function modelOf(redis: Redis | Cluster | RedisOptions): Promise<Client> {
  if (typeof redis !== "object") {
    const wanted = "a client of ioredis, or the options of one; an address is for connect()";
    throw new LockstepError("bad-input", `redis must be ${wanted}`);
  }
  if (isClient(redis)) return redis;
  const { Redis } = await loadIoredis();
  // Its own types do not admit `undefined` where these do.
  return new (Redis as new (options: RedisOptions) => Redis)({ ...redis, lazyConnect: true });
}

function isClient(redis: Redis | Cluster | RedisOptions): redis is Redis | Cluster {
  return "duplicate" in redis && typeof redis.duplicate === "function";
}

async function loadIoredis(): Promise<typeof ioredisPackage> {
  try {
    return await import("ioredis");
  } catch (cause) {
    throw new LockstepError(
      "missing-peer",
      'addresses that begin with "redis:" or "rediss:" need the package ioredis, which cannot be loaded; ' +
        "install it with: npm install ioredis",
      { cause },
    );
  }
}
