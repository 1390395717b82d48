import fc from "fast-check";
import { ManualClock, systemClock } from "lockstep/base";
import { MemoryData } from "lockstep/memory";
import { expect, test } from "vitest";
import { memoryFixture } from "../conformance/memory-fixture.js";
import { likeTheModel } from "./model.js";

test("the memory engine does as the model does", async () => {
  const open = async () =>
    memoryFixture(new MemoryData(systemClock), systemClock, () => expect.unreachable());
  await fc.assert(likeTheModel(open, { expiry: false }), { numRuns: 300 });
});

test("and sessions expire as they do in the model", async () => {
  const open = async () => {
    const clock = new ManualClock();
    return memoryFixture(new MemoryData(clock), clock, (ms) => clock.advance(ms));
  };
  await fc.assert(likeTheModel(open, { expiry: true }), { numRuns: 300 });
});

test("and also when time jumps, so that many sessions expire at one look", async () => {
  const open = async () => {
    const clock = new ManualClock();
    return memoryFixture(new MemoryData(clock), clock, async (ms) => clock.jump(ms));
  };
  await fc.assert(likeTheModel(open, { expiry: true }), { numRuns: 300 });
});
