import fc from "fast-check";
import { ManualClock, systemClock, type Clock } from "lockstep/base";
import { frozenClock, type Fixture } from "lockstep/conformance";
import { MemoryData, MemoryStore } from "lockstep/memory";
import { expect, test } from "vitest";
import { likeTheModel } from "./model.js";

function memoryFixture(clock: Clock, sleep: (ms: number) => Promise<void>): Fixture {
  const data = new MemoryData(clock);
  return {
    connect: async () => new MemoryStore({ data, clock }),
    connectFrozen: async () => new MemoryStore({ data, clock: frozenClock(clock) }),
    sleep,
    dispose: async () => undefined,
  };
}

test("the memory engine does as the model does", async () => {
  const open = async () => memoryFixture(systemClock, () => expect.unreachable());
  await fc.assert(likeTheModel(open, { expiry: false }), { numRuns: 300 });
});

test("and sessions expire as they do in the model", async () => {
  const open = async () => {
    const clock = new ManualClock();
    return memoryFixture(clock, (ms) => clock.advance(ms));
  };
  await fc.assert(likeTheModel(open, { expiry: true }), { numRuns: 300 });
});

test("and also when time jumps, so that many sessions expire at one look", async () => {
  const open = async () => {
    const clock = new ManualClock();
    return memoryFixture(clock, async (ms) => clock.jump(ms));
  };
  await fc.assert(likeTheModel(open, { expiry: true }), { numRuns: 300 });
});
