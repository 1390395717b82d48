// The store of a simulated world keeps what an engine must keep, as long as nothing goes wrong.
import { SeededRandom } from "lockstep/base";
import { frozenClock, storeConformance } from "lockstep/conformance";
import { noHazards } from "lockstep/simulation";
import { describe, test } from "vitest";
import { Chronicle } from "../../src/simulation/chronicle.js";
import { ProcessClock } from "../../src/simulation/process-clock.js";
import { SimulatedProcess } from "../../src/simulation/simulated-process.js";
import { StoreServer } from "../../src/simulation/store-server.js";
import { Timeline } from "../../src/simulation/timeline.js";
import { Wire } from "../../src/simulation/wire.js";

storeConformance({ describe, test }, "a simulated world's store", async () => {
  const timeline = new Timeline();
  const serverClock = new ProcessClock(timeline, 1, 0, (callback) => {
    callback();
  });
  const server = new StoreServer(serverClock, () => undefined);
  const hazards = { ...noHazards, delayMs: 0 };
  const wire = new Wire(timeline, server, new Chronicle(), new SeededRandom(1), hazards);
  const hire = () => new SimulatedProcess("a", wire, 1, 1);

  // The tests wait for real promises: events happen as the event loop turns, up to the moment that was
  // asked for.
  let until = 1;
  let pump = setImmediate(run);
  function run() {
    while (timeline.step(until)) continue;
    pump = setImmediate(run);
  }
  return {
    connect: async () => hire().store(),
    connectFrozen: async () => {
      const process = hire();
      return Object.assign(process, { clock: frozenClock(process.clock) }).store();
    },
    sleep: (ms) => {
      until = timeline.now() + ms;
      return new Promise((resolve) => timeline.after(ms, resolve));
    },
    dispose: async () => {
      clearImmediate(pump);
    },
  };
});
