import { LockstepError } from "./base/errors.js";
import { checkOptions } from "./base/options.js";
import { checkMilliseconds } from "./base/patience.js";
import { Lockstep, type LockstepOptions } from "./lockstep.js";
import { systemClock } from "./base/clock.js";
import type { Clock } from "./base/clock.js";
import type { Store } from "./store/store.js";
import type { MemoryData } from "./engines/memory/memory-data.js";

/**
 * How each kind of address is opened. An engine's code, and its client, is loaded when its address is used.
 */
const engines: Record<string, (rest: string, clock: Clock) => Promise<Store>> = {
  async memory(name, clock) {
    const { MemoryData, MemoryStore } = await import("./engines/memory/index.js");
    if (name === "") return new MemoryStore({ clock });
    const data = sharedMemory.get(name) ?? new MemoryData(clock);
    sharedMemory.set(name, data);
    return new MemoryStore({ data, clock });
  },
  async lmdb(directory, clock) {
    const { openLmdbStore } = await import("./engines/lmdb/index.js");
    return openLmdbStore(directory, { clock });
  },
};

/** The stores named `memory:NAME`, which all of a process share. */
const sharedMemory = new Map<string, MemoryData>();

/**
 * Connects to a store by its address:
 *
 * - `lmdb:./directory`: many processes of one host share the directory; nothing else to install or to run.
 * - `memory:`: a store of one's own inside this process; `memory:name` is shared by all who name it.
 */
export async function connect(address: string, options: LockstepOptions = {}): Promise<Lockstep> {
  checkOptions(options, ["ttlMs", "label", "clock"]);
  const { scheme, rest } = parseAddress(address);
  const open = Object.hasOwn(engines, scheme) ? engines[scheme] : undefined;
  if (!open) throw badAddress(address, `there is no engine named ${JSON.stringify(scheme)}`);
  // What is nonsense on any engine is refused before a store is made.
  if (options.ttlMs !== undefined) checkMilliseconds("ttlMs", options.ttlMs, 1);
  const store = await open(rest, options.clock ?? systemClock);
  try {
    return new Lockstep(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

function parseAddress(address: unknown): { scheme: string; rest: string } {
  if (typeof address !== "string") throw badAddress(address, "it must be a string");
  const colon = address.indexOf(":");
  if (colon < 1) throw badAddress(address, "it names no engine");
  return { scheme: address.slice(0, colon), rest: address.slice(colon + 1) };
}

function badAddress(address: unknown, fault: string): LockstepError {
  return new LockstepError(
    "bad-input",
    `cannot connect to ${JSON.stringify(address)}: ${fault}; give "lmdb:./directory" or "memory:"`,
  );
}
