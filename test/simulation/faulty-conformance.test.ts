import { ManualClock, systemClock, type Clock } from "lockstep/base";
import { frozenClock, storeConformance } from "lockstep/conformance";
import { MemoryData, MemoryStore } from "lockstep/memory";
import { FaultyStore } from "lockstep/simulation";
import { describe, test } from "vitest";

// A network without faults, or one that is only slow, must not be noticed by anyone.
storeConformance({ describe, test }, "memory behind a sound network", async () => {
  const clock = new ManualClock();
  const data = new MemoryData(clock);
  const connect = async (from: Clock) =>
    new FaultyStore(new MemoryStore({ data, clock: from }), { seed: 1, clock: from });
  return {
    connect: () => connect(clock),
    connectFrozen: () => connect(frozenClock(clock)),
    sleep: (ms) => clock.advance(ms),
    dispose: async () => undefined,
  };
});

storeConformance({ describe, test }, "memory behind a slow network", async () => {
  const data = new MemoryData(systemClock);
  let seed = 0;
  const frozen = frozenClock(systemClock);
  return {
    connect: async () => new FaultyStore(new MemoryStore({ data }), { seed: seed++, delayMs: 1 }),
    connectFrozen: async () =>
      new FaultyStore(new MemoryStore({ data, clock: frozen }), { seed: seed++, clock: frozen }),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    dispose: async () => undefined,
  };
});
