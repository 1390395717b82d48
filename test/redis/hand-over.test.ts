import { Lockstep } from "lockstep";
import { openRedisStore } from "lockstep/redis";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { startRedis } from "../rig/redis.js";
import type { RunningServer } from "../rig/running-server.js";

describeOn("redis", "a lock that is handed over", () => {
  let server: RunningServer;
  let admin: Redis;
  const clients: Lockstep[] = [];
  beforeEach(async () => {
    server = await startRedis();
    admin = new Redis({ port: server.port });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    admin.disconnect();
    await server.stop();
  });

  async function open(): Promise<Lockstep> {
    const client = new Lockstep(await openRedisStore({ redis: { port: server.port } }));
    clients.push(client);
    // It has its session now, and will not renew it soon.
    await client.lock("other").run(() => undefined);
    return client;
  }

  async function scriptsRun(): Promise<number> {
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1] ?? 0);
  }

  test("goes to the next with the news of the release: the one run of a script that there is", async () => {
    const [holder, ...waiters] = [await open(), await open(), await open(), await open()];
    await admin.config("RESETSTAT");
    const held = await holder.lock("a").acquire();
    const granted: Promise<() => Promise<void>>[] = [];
    for (const waiter of waiters) {
      granted.push(
        waiter
          .lock("a")
          .acquire()
          .then((turn) => () => turn.release()),
      );
      // Each comes, and looks once more when it has subscribed to the one before it.
      await expect.poll(scriptsRun).toBe(1 + granted.length * 2);
    }
    let runs = await scriptsRun();
    let release = () => held.release();
    for (const next of granted) {
      await release();
      release = await next;
      expect(await scriptsRun()).toBe(++runs);
    }
    await release();
  });

  test("goes on to one of very many too, though they are not looked through", async () => {
    const crowd = await openRedisStore({ redis: { port: server.port } });
    try {
      const key = (i: number) => `q/${String(i).padStart(2, "0")}`;
      const then = Array.from({ length: 34 }, (_, i) => ({
        kind: "put",
        key: key(i),
        value: new Uint8Array(),
      }));
      await crowd.commit({ then: then as never });
      const watcher = new Watcher(crowd, "q/");
      await watcher.resync();
      for (const [i, shown] of [undefined, key(2)].entries()) {
        await crowd.commit({ then: [{ kind: "delete", key: key(i) }], show: "q/" });
        expect((await watcher.batch()).shown?.key).toBe(shown);
      }
    } finally {
      await crowd.close();
    }
  });
});
