import { ManualClock, systemClock } from "lockstep/base";
import { storeConformance } from "lockstep/conformance";
import { MemoryData } from "lockstep/memory";
import { describe, test } from "vitest";
import { memoryFixture } from "./memory-fixture.js";

storeConformance({ describe, test }, "memory", async () =>
  memoryFixture(
    new MemoryData(systemClock),
    systemClock,
    (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ),
);

storeConformance({ describe, test }, "memory by a manual clock", async () => {
  const clock = new ManualClock();
  return memoryFixture(new MemoryData(clock), clock, (ms) => clock.advance(ms));
});
