import { ManualClock, systemClock, type Clock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { MemoryData, MemoryStore } from "lockstep/memory";
import { describe, test } from "vitest";

function memoryFixture(clock: Clock, sleep: (ms: number) => Promise<void>): Fixture {
  const data = new MemoryData(clock);
  return {
    connect: async () => new MemoryStore({ data, clock }),
    connectFrozen: async () => new MemoryStore({ data, clock: frozenClock(clock) }),
    sleep,
    dispose: async () => undefined,
  };
}

storeConformance({ describe, test }, "memory", async () =>
  memoryFixture(systemClock, (ms) => new Promise((resolve) => setTimeout(resolve, ms))),
);

storeConformance({ describe, test }, "memory by a manual clock", async () => {
  const clock = new ManualClock();
  return memoryFixture(clock, (ms) => clock.advance(ms));
});
