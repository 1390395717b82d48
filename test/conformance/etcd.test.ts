import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { openEtcdStore } from "lockstep/etcd";
import { afterAll, beforeAll, describe, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import type { RunningServer } from "../rig/running-server.js";
import { likeTheModel } from "../store/model.js";

describeOn("etcd", "the etcd engine", () => {
  let server: RunningServer;
  let fixtures = 0;
  beforeAll(async () => {
    server = await startEtcd();
  });
  afterAll(() => server.stop());

  /** A namespace of its own is a new and empty store. */
  async function etcdFixture(): Promise<Fixture> {
    const options = { endpoints: [`127.0.0.1:${server.port}`], namespace: `store-${fixtures++}` };
    return {
      connect: () => openEtcdStore(options),
      connectFrozen: () => openEtcdStore({ ...options, clock: frozenClock(systemClock) }),
      sleep: (ms) => sleep(ms),
      dispose: () => Promise.resolve(),
    };
  }

  // Every commit is flushed to the disk by the server, and 20 clients in a race make thousands of them.
  const runner = { describe, test: (name: string, body: () => Promise<void>) => test(name, body, 60_000) };
  storeConformance(runner, "etcd", etcdFixture);

  test("it does as the model does, and so as the memory engine", async () => {
    await fc.assert(likeTheModel(etcdFixture, { expiry: false }), { numRuns: 20 });
  }, 60_000);
});
