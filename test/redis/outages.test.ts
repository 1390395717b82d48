import { openRedisStore, type RedisStore } from "lockstep/redis";
import type { Write } from "lockstep/store";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { startRedis } from "../rig/redis.js";
import type { RunningServer } from "../rig/running-server.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("redis", "a Redis server that is away for a while", () => {
  let server: RunningServer;
  let proxy: FaultProxy;
  let store: RedisStore;
  /** By a way of its own, on which nothing goes wrong. */
  let other: RedisStore;
  beforeEach(async () => {
    server = await startRedis({ persistence: "every write" });
    proxy = await FaultProxy.start({ to: server.port });
    store = await openRedisStore({ redis: { port: proxy.port } });
    other = await openRedisStore({ redis: { port: server.port } });
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([store.close(), other.close()]);
    await proxy.close();
    await server.stop();
  });

  test("a commit whose answer is lost is of unknown outcome, and is not made again", async () => {
    await store.commit({ then: [put("warm")] });
    const before = await evalCount(server.port);
    proxy.drop("client");
    const outcome = store.commit({ then: [put("a")] });
    await expect.poll(async () => (await other.read({ key: "a" })).entries.length).toBe(1);
    const { revision } = await other.read({ key: "a" });
    await proxy.heal();
    await expect(outcome).rejects.toMatchObject({ code: "unknown-outcome", applied: "maybe" });
    // All that the new connection brings has come when it answers.
    expect((await store.read({ key: "a" })).entries[0]?.modified).toBe(revision);
    expect((await evalCount(server.port)) - before).toBeLessThan(10);
    expect((await other.read({ prefix: "" })).revision).toBe(revision);
  });

  test("many commits under way when the connection is cut: each is made once or not at all", async () => {
    for (let round = 0; round < 10; round++) {
      const key = `count ${round}`;
      const commits = Array.from({ length: 40 }, (_, i) => store.commit({ then: [put(`${key}/${i}`)] }));
      const settled = Promise.allSettled(commits);
      // Some turns later, so that it is now here, now there on its way.
      for (let turn = 0; turn < round; turn++) await Promise.resolve();
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      proxy.cut();
      const verdicts = await settled;
      const { entries } = await other.read({ prefix: `${key}/` });
      const there = new Map(entries.map((entry) => [entry.key, entry]));
      verdicts.forEach((verdict, i) => {
        const entry = there.get(`${key}/${i}`);
        if (entry) expect(entry.created).toBe(entry.modified);
        if (verdict.status === "fulfilled")
          expect(entry?.modified).toBe(verdict.value.ok && verdict.value.revision);
        else if ((verdict.reason as { applied: string }).applied === "no") expect(entry).toBeUndefined();
      });
      await store.read({ key });
    }
  });

  test("a commit that is not sent fails as 'unavailable', and surely was not made", async () => {
    await proxy.refuse();
    await expect
      .poll(() => store.read({ key: "a" }).catch((error: unknown) => error))
      .toMatchObject({
        code: "unavailable",
      });
    await expect(store.commit({ then: [put("a")] })).rejects.toMatchObject({
      code: "unavailable",
      applied: "no",
    });
    await proxy.heal();
    expect((await store.read({ key: "a" })).entries).toEqual([]);
  });

  test("a server that accepts and says nothing is given up, for reads and for commits", async () => {
    proxy.hold();
    await expect(store.read({ key: "a" })).rejects.toMatchObject({ code: "unavailable" });
    await expect(store.commit({ then: [put("a")] })).rejects.toMatchObject({ applied: "no" });
  });

  test("a session and a watch live through a restart of the server", async () => {
    const session = await store.openSession({ ttlMs: 10_000 });
    const watcher = new Watcher(store, "");
    await store.commit({ then: [put("mine", "", session.id)] });
    await watcher.until((state) => state.has("mine"));
    server.kill("SIGKILL");
    await server.restart();
    await other.commit({ then: [put("theirs")] });
    await watcher.until((state) => state.has("theirs"));
    watcher.assertSame(await store.read({ prefix: "" }));
    expect(session.isValid()).toBe(true);
    expect((await other.read({ key: "mine" })).entries).toHaveLength(1);
  });

  test("a watch hears of what was committed while it was cut off", async () => {
    const watchers = [new Watcher(store, "w/"), new Watcher(store, "w/1", { exact: true })];
    for (const watcher of watchers) await watcher.resync();
    await proxy.refuse();
    for (let i = 0; i < 50; i++) await other.commit({ then: [put(`w/${i % 7}`, String(i))] });
    await proxy.heal();
    for (const watcher of watchers) await watcher.resync();
    await other.commit({ then: [put("w/1", "after")] });
    for (const watcher of watchers) {
      await watcher.until((state) => Buffer.from(state.get("w/1")?.value ?? []).toString() === "after");
    }
    watchers[0]?.assertSame(await other.read({ prefix: "w/" }));
    watchers[1]?.assertSame(await other.read({ key: "w/1" }));
  });

  test("a watch looks when its subscription is confirmed, so that nothing falls in between", async () => {
    const slow = await FaultProxy.start({ to: server.port, senderOf: String });
    const late = await openRedisStore({ redis: { port: slow.port } });
    try {
      await late.read({ key: "w/a" });
      // The connection that is there is the one for commands; that for messages comes, and waits.
      let first: string | undefined;
      slow.setWeather((_way, sender) => {
        first ??= sender();
        return { fate: sender() === first ? "pass" : "hold", delayMs: 0 };
      });
      await late.read({ key: "w/a" });
      const watcher = new Watcher(late, "w/");
      const hearing = watcher.until((state) => state.has("w/a"));
      await expect.poll(() => slow.accepted).toBe(2);
      await late.read({ key: "w/a" });
      await other.commit({ then: [put("w/a")] });
      await slow.heal();
      await hearing;
    } finally {
      await late.close();
      await slow.close();
    }
  });

  test("a connection for messages that is dead without a word is found out", async () => {
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    // What is on its way to us is lost; nothing tells us that it was.
    proxy.drop("client");
    await other.commit({ then: [put("w/a")] });
    const before = proxy.accepted;
    await expect.poll(() => proxy.accepted, { timeout: 10_000 }).toBeGreaterThan(before);
    await proxy.heal();
    await watcher.until((state) => state.has("w/a"));
  }, 20_000);

  test("an abort ends a watch at once that waits for a dead server", async () => {
    proxy.hold();
    const abort = new AbortController();
    const next = store.watch("w/", { signal: abort.signal }).next();
    abort.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  test("close() comes to an end though the server is dead, and drops the sessions", async () => {
    const session = await store.openSession({ ttlMs: 3600_000 });
    const watching = store.watch("").next();
    await watching;
    server.kill("SIGSTOP");
    await store.close();
    expect(session.isValid()).toBe(false);
    server.kill("SIGCONT");
  }, 20_000);
});

describeOn("redis", "a Redis server that forgets all", () => {
  test("gives higher revisions than before; who held something is told at once", async () => {
    const server = await startRedis();
    const store = await openRedisStore({ redis: { port: server.port } });
    try {
      const session = await store.openSession({ ttlMs: 3600_000 });
      const lost = new Promise((resolve) => session.onEnd(resolve));
      const before = await store.commit({ then: [put("a", "", session.id)] });
      await server.restart();
      expect(await lost).toBe("lost");
      const after = await store.commit({ when: [{ kind: "absent", key: "a" }], then: [put("a")] });
      expect(after.ok && before.ok && after.revision > before.revision).toBe(true);
    } finally {
      await store.close();
      await server.stop();
    }
  });
});

async function evalCount(port: number): Promise<number> {
  const redis = new Redis({ port });
  const info = await redis.info("commandstats");
  redis.disconnect();
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1]);
}
