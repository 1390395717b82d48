import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { openZookeeperStore } from "lockstep/zookeeper";
import { afterAll, beforeAll, describe, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startZookeeper } from "../rig/zookeeper.js";
import type { RunningServer } from "../rig/running-server.js";
import { likeTheModel } from "../store/model.js";

describeOn("zookeeper", "on ZooKeeper", () => {
  let server: RunningServer;
  let namespaces = 0;

  beforeAll(async () => {
    server = await startZookeeper();
  }, 60_000);

  afterAll(() => server.stop());

  function zookeeperFixture(): Promise<Fixture> {
    const endpoints = [`127.0.0.1:${server.port}`];
    const namespace = `test/${++namespaces}`;
    return Promise.resolve({
      connect: () => openZookeeperStore({ endpoints, namespace }),
      connectFrozen: () => openZookeeperStore({ endpoints, namespace, clock: frozenClock(systemClock) }),
      sleep: (ms) => sleep(ms),
      dispose: () => Promise.resolve(),
    });
  }

  storeConformance({ describe, test }, "zookeeper", zookeeperFixture);

  test("the ZooKeeper engine does as the model does, and so as the memory engine", async () => {
    // Few, for each look is a write that comes to the disk.
    await fc.assert(likeTheModel(zookeeperFixture, { expiry: false }), { numRuns: 12 });
  }, 120_000);
});
