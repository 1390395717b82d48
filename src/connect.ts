import { LockstepError } from "./base/errors.js";
import { checkOptions } from "./base/options.js";
import { checkMilliseconds } from "./base/patience.js";
import { Lockstep, type LockstepOptions } from "./lockstep.js";
import { systemClock } from "./base/clock.js";
import type { Clock } from "./base/clock.js";
import { withoutPassword } from "./store/server-address.js";
import type { Store } from "./store/store.js";
import type { MemoryData } from "./engines/memory/memory-data.js";

type Open = (address: string, clock: Clock) => Promise<Store>;

/**
 * How each kind of address is opened. An engine's code, and its client, is loaded when its address is used.
 */
const engines: Record<string, Open> = {
  async memory(address, clock) {
    const { MemoryData, MemoryStore } = await import("./engines/memory/index.js");
    const name = address.slice("memory:".length);
    if (name === "") return new MemoryStore({ clock });
    const data = sharedMemory.get(name) ?? new MemoryData(clock);
    sharedMemory.set(name, data);
    return new MemoryStore({ data, clock });
  },
  async lmdb(address, clock) {
    if (address.includes("?")) throw badAddress(address, "a directory takes no parameters");
    const { openLmdbStore } = await import("./engines/lmdb/index.js");
    return openLmdbStore(address.slice("lmdb:".length), { clock });
  },
  ...named(["etcd", "etcds"], async (address, clock) => {
    const { etcdStoreAt } = await import("./engines/etcd/index.js");
    return etcdStoreAt(address, { clock });
  }),
  ...named(["postgres", "postgresql"], async (address, clock) => {
    const { postgresStoreAt } = await import("./engines/postgres/index.js");
    return postgresStoreAt(address, { clock });
  }),
  ...named(["redis", "rediss"], async (address, clock) => {
    const { redisStoreAt } = await import("./engines/redis/index.js");
    return redisStoreAt(address, { clock });
  }),
  ...named(["zookeeper", "zookeepers"], async (address, clock) => {
    const { zookeeperStoreAt } = await import("./engines/zookeeper/index.js");
    return zookeeperStoreAt(address, { clock });
  }),
};

/** Several schemes that one engine goes by: those with an "s" at their end are encrypted. */
function named(schemes: readonly string[], open: Open): Record<string, Open> {
  return Object.fromEntries(schemes.map((scheme) => [scheme, open]));
}

/** The stores named `memory:NAME`, which all of a process share. */
const sharedMemory = new Map<string, MemoryData>();

/**
 * Connects to a store by its address:
 *
 * - `lmdb:./directory`: many processes of one host share the directory; nothing else to install or to run.
 * - `memory:`: a store of one's own inside this process; `memory:name` is shared by all who name it.
 * - `etcd://host1:2379,host2:2379/namespace`, `redis://host:6379`, `postgres://user@host/database`,
 *   `zookeeper://host1:2181,host2:2181/namespace`: many machines, on a server that they all reach.
 *
 * The pages in docs/engines say what else an address may hold. Who has a client or a pool already gives it to
 * the engine's own function, such as `openRedisStore` of `lockstep/redis`, and the store to `new Lockstep`.
 */
export async function connect(address: string, options: LockstepOptions = {}): Promise<Lockstep> {
  checkOptions(options, ["ttlMs", "label", "clock"]);
  const scheme = schemeOf(address);
  const open = Object.hasOwn(engines, scheme) ? engines[scheme] : undefined;
  if (!open) throw badAddress(address, `there is no engine named ${JSON.stringify(scheme)}`);
  // What is nonsense on any engine is refused before a store is made.
  if (options.ttlMs !== undefined) checkMilliseconds("ttlMs", options.ttlMs, 1);
  const store = await open(address, options.clock ?? systemClock);
  try {
    return new Lockstep(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

function schemeOf(address: unknown): string {
  if (typeof address !== "string") throw badAddress(address, "it must be a string");
  const colon = address.indexOf(":");
  if (colon < 1) throw badAddress(address, "it names no engine");
  return address.slice(0, colon);
}

function badAddress(address: unknown, fault: string): LockstepError {
  const shown = JSON.stringify(typeof address === "string" ? withoutPassword(address) : address);
  return new LockstepError(
    "bad-input",
    `cannot connect to ${shown}: ${fault}; give "lmdb:./directory", "memory:", or the address of a server, ` +
      'as in "redis://localhost", "postgres://localhost/app", "etcd://localhost" or "zookeeper://localhost"',
  );
}
