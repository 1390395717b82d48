import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { systemClock } from "lockstep/base";
import { frozenClock, storeConformance, type Fixture } from "lockstep/conformance";
import { openRedisStore } from "lockstep/redis";
import { afterAll, beforeAll, describe, test } from "vitest";
import { describeOn } from "../rig/available.js";
import { startRedis } from "../rig/redis.js";
import type { RunningServer } from "../rig/running-server.js";
import { likeTheModel } from "../store/model.js";

describeOn("redis", "on a Redis server", () => {
  let server: RunningServer;
  let fixtures = 0;

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  async function redisFixture(): Promise<Fixture> {
    const namespace = `test [${fixtures++}]*`;
    const redis = { host: "127.0.0.1", port: server.port };
    return {
      connect: () => openRedisStore({ redis, namespace }),
      connectFrozen: () => openRedisStore({ redis, namespace, clock: frozenClock(systemClock) }),
      sleep: (ms) => sleep(ms),
      dispose: () => Promise.resolve(),
    };
  }

  storeConformance({ describe, test }, "redis", redisFixture);

  test("the Redis engine does as the model does, and so as the memory engine", async () => {
    await fc.assert(likeTheModel(redisFixture, { expiry: false }), { numRuns: 40 });
  }, 60_000);
});
