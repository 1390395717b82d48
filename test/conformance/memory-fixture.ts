import type { Clock } from "lockstep/base";
import { frozenClock, type Fixture } from "lockstep/conformance";
import { type MemoryData, MemoryStore } from "lockstep/memory";

/** The store in memory that holds this data. */
export function memoryFixture(data: MemoryData, clock: Clock, sleep: (ms: number) => Promise<void>): Fixture {
  return {
    connect: async () => new MemoryStore({ data, clock }),
    connectFrozen: async () => new MemoryStore({ data, clock: frozenClock(clock) }),
    sleep,
    dispose: async () => undefined,
  };
}
