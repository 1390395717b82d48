import { connect } from "lockstep";
import { ManualClock, systemClock } from "lockstep/base";
import { MemoryData, MemoryStore } from "lockstep/memory";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ground } from "./setting.js";

/** One memory store, in the time of a manual clock: an hour passes at once. */
export async function memoryGround(): Promise<Ground> {
  const clock = new ManualClock(1000);
  const data = new MemoryData(clock);
  return {
    clock,
    connect: async (clientClock) => new MemoryStore({ data, clock: clientClock }),
    pass: (ms) => clock.advance(ms),
    dispose: () => Promise.resolve(),
  };
}

/** What is behind an address, in real time. */
export function groundAt(address: string, dispose: () => Promise<void> = () => Promise.resolve()): Ground {
  return {
    clock: systemClock,
    connect: async (clock) => (await connect(address, { clock })).store,
    pass: (ms) => sleep(ms),
    dispose,
  };
}
