import { openRedisStore, type RedisStore } from "lockstep/redis";
import type { Write } from "lockstep/store";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { frozenClock } from "lockstep/conformance";
import { systemClock } from "lockstep/base";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { startRedis } from "../rig/redis.js";
import type { RunningServer } from "../rig/running-server.js";

const put = (key: string, value: string | Buffer = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("redis", "much at once on a Redis server", () => {
  let server: RunningServer;
  let store: RedisStore;
  beforeEach(async () => {
    server = await startRedis();
    store = await openRedisStore({ redis: { port: server.port } });
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  test("a session with thousands of keys takes them all along in one commit", async () => {
    const session = await store.openSession({ ttlMs: 10_000 });
    const count = 9000;
    for (let i = 0; i < count; i += 1000) {
      await store.commit({
        then: Array.from({ length: 1000 }, (_, j) => put(`s/${i + j}`, "", session.id)),
      });
    }
    expect((await store.read({ prefix: "s/" })).entries).toHaveLength(count);
    const watcher = new Watcher(store, "s/");
    await watcher.resync();
    await session.end();
    await watcher.until(
      (state) => state.size === 0,
      (state) => expect(state.size).toBe(0),
    );
  });

  test("a commit that is too long to be told is read by those who watch", async () => {
    const watchers = [new Watcher(store, ""), new Watcher(store, "a", { exact: true })];
    for (const watcher of watchers) await watcher.resync();
    await store.commit({ then: [put("a", Buffer.alloc(70_000)), put("b")] });
    for (const watcher of watchers) {
      await watcher.resync();
      await watcher.until((state) => state.has("a"));
    }
    await store.commit({ then: [put("a", "short")] });
    for (const watcher of watchers) await watcher.batch();
    watchers[0]?.assertSame(await store.read({ prefix: "" }));
  });

  test("hundreds of sessions that expire together are all told, each with its keys at once", async () => {
    const frozen = await openRedisStore({ redis: { port: server.port }, clock: frozenClock(systemClock) });
    const watcher = new Watcher(store, "s/");
    await watcher.resync();
    const sessions = await Promise.all(
      Array.from({ length: 350 }, () => frozen.openSession({ ttlMs: 1000 })),
    );
    await Promise.all(
      sessions.map(({ id }, i) => {
        return frozen.commit({ then: [put(`s/${i}/a`, "", id), put(`s/${i}/b`, "", id)] });
      }),
    );
    await watcher.until((state) => state.size === 700);
    await watcher.until(
      (state) => state.size === 0,
      (state) => expect(state.size % 2).toBe(0),
    );
    await frozen.close();
  });

  test("leaves nothing behind that grows: dead sessions go with whoever comes next", async () => {
    const frozen = await openRedisStore({ redis: { port: server.port }, clock: frozenClock(systemClock) });
    for (let i = 0; i < 20; i++) {
      const session = await frozen.openSession({ ttlMs: 100 });
      await frozen.commit({ then: [put(`k${i}`, "", session.id)] });
    }
    const admin = new Redis({ port: server.port });
    await expect.poll(async () => (await store.read({ prefix: "" })).entries.length).toBe(0);
    expect((await admin.keys("*")).sort()).toEqual(["{lockstep}:entries"]);
    expect(await admin.hlen("{lockstep}:entries")).toBe(2);
    admin.disconnect();
    await frozen.close();
  });

  test("a script that the server has forgotten is told again, and runs once", async () => {
    await store.commit({ then: [put("a")] });
    const admin = new Redis({ port: server.port });
    await admin.script("FLUSH");
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.commit({ then: [put(`b${i}`)] })),
    );
    expect(new Set(verdicts.map(({ snapshot }) => snapshot.revision)).size).toBe(20);
    admin.disconnect();
  });
});
