import { openRedisStore, type RedisStore } from "lockstep/redis";
import type { Change, Write } from "lockstep/store";
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
const drop = (key: string): Write => ({ kind: "delete", key });
const absent = (key: string) => ({ kind: "absent", key }) as const;

describeOn("redis", "changes that are made in one turn", () => {
  let server: RunningServer;
  let proxy: FaultProxy;
  let admin: Redis;
  let store: RedisStore;
  beforeEach(async () => {
    server = await startRedis();
    proxy = await FaultProxy.start({ to: server.port });
    admin = new Redis({ port: server.port });
    store = await openRedisStore({ redis: { port: proxy.port } });
    await store.commit({ then: [put("warm"), drop("gone")] });
  });
  afterEach(async () => {
    await proxy.heal();
    await store.close();
    await proxy.close();
    admin.disconnect();
    await server.stop();
  });

  const all = (changes: readonly Change[]) => Promise.all(changes.map((change) => store.commit(change)));

  test("are one run of a script; each has a revision of its own and sees what it did", async () => {
    const watcher = new Watcher(store, "k");
    await watcher.resync();
    await admin.config("RESETSTAT");
    const verdicts = await all(
      Array.from({ length: 10 }, (_, i) => ({ then: [put(`k${i}`)], read: { prefix: "k" } })),
    );
    expect(await admin.info("commandstats")).toContain("cmdstat_evalsha:calls=1,");
    verdicts.forEach(({ ok, snapshot }, i) => {
      expect(ok).toBe(true);
      expect(snapshot.entries.map(({ key }) => key)).toEqual(verdicts.slice(0, i + 1).map((_, j) => `k${j}`));
      expect(snapshot.entries[i]?.created).toBe(snapshot.revision);
      if (i > 0) expect(snapshot.revision).toBeGreaterThan(verdicts[i - 1]!.snapshot.revision);
    });
    for (const { snapshot } of verdicts) expect((await watcher.batch()).revision).toBe(snapshot.revision);
  });

  test("are judged one by one, by what those before did; one that is refused changes nothing", async () => {
    const verdicts = await all([
      { when: [absent("a")], then: [put("a", "1")] },
      { when: [absent("a"), { kind: "alive", session: "dead" }], then: [put("a", "2"), put("b")] },
      { then: [put("c"), put("d", "", "dead")], read: { key: "c" } },
      { then: [drop("a")], read: { key: "a" } },
      { when: [absent("a")], then: [put("a", "3")] },
      { then: [drop("b"), drop("a"), put("e")], read: { prefix: "" } },
    ]);
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, false, false, true, true, true]);
    expect(verdicts[1]).toMatchObject({ failed: absent("a") });
    expect(verdicts[2]).toMatchObject({ failed: { kind: "alive", session: "dead" } });
    expect(verdicts[2]?.snapshot.entries).toEqual([]);
    expect(verdicts[2]?.snapshot.revision).toBe(verdicts[0]?.snapshot.revision);
    expect(verdicts[3]?.snapshot.entries).toEqual([]);
    expect(verdicts[5]?.snapshot.entries.map(({ key }) => key)).toEqual(["e", "warm"]);
    expect((await store.read({ prefix: "" })).entries).toEqual(verdicts[5]?.snapshot.entries);
  });

  test("leave the last revision behind, also when the last of them is a delete", async () => {
    const verdicts = await all([{ then: [put("a")] }, { then: [drop("warm")] }, { then: [drop("gone")] }]);
    const [first, second, third] = verdicts.map(({ snapshot }) => snapshot.revision);
    expect(second).toBeGreaterThan(first!);
    expect(third).toBe(second);
    expect((await store.read({ key: "a" })).revision).toBe(second);
    expect(await admin.hget("{lockstep}:entries", "\u0001")).toBe(String(second));
  });

  test("and are very many go in several pieces, in their order", async () => {
    const verdicts = await all(
      Array.from({ length: 3000 }, (_, i) => ({ then: [put("k", String(i))], read: { key: "k" } })),
    );
    verdicts.forEach(({ snapshot }, i) => {
      expect(Buffer.from(snapshot.entries[0]!.value).toString()).toBe(String(i));
    });
  });

  test("and in which their session is ended, or the store closed, are made before that", async () => {
    const session = await store.openSession({ ttlMs: 10_000 });
    const bound = store.commit({ then: [put("a", "", session.id)] });
    await session.end();
    expect(await bound).toMatchObject({ ok: true });
    const made = store.commit({ then: [put("b")] });
    await store.close();
    expect(await made).toMatchObject({ ok: true });
  });

  test("and in which a session ends know in their order what it took along", async () => {
    const [session, idle] = [
      await store.openSession({ ttlMs: 10_000 }),
      await store.openSession({ ttlMs: 10_000 }),
    ];
    await store.commit({ then: [put("a", "", session.id)] });
    const before = store.commit({ then: [drop("warm"), put("b", "", session.id)], read: { prefix: "" } });
    const ended = session.end();
    const after = await all([
      { when: [absent("a")], then: [], read: { key: "b" } },
      { then: [put("c", "", session.id)] },
      { then: [put("d")], read: { prefix: "" } },
    ]);
    await ended;
    expect((await before).snapshot.entries.map(({ key }) => key)).toEqual(["a", "b"]);
    expect(after.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(after[0]?.snapshot.entries).toEqual([]);
    expect(after[2]?.snapshot.entries.map(({ key }) => key)).toEqual(["d"]);
    const deleted = store.commit({ then: [drop("d")] });
    await idle.end();
    expect((await store.read({ key: "d" })).revision).toBe((await deleted).snapshot.revision);
  });

  test("and whose answer is lost are all of unknown outcome; a look among them is not", async () => {
    proxy.drop("client");
    const outcomes = Promise.allSettled([
      ...[1, 2, 3].map((i) => store.commit({ when: [absent("a")], then: [put("a", String(i))] })),
      store.read({ key: "a" }),
    ]);
    await expect.poll(() => admin.hexists("{lockstep}:entries", "a")).toBe(1);
    const before = await admin.hget("{lockstep}:entries", "\u0001");
    await proxy.heal();
    const maybe = { reason: { code: "unknown-outcome", applied: "maybe" } };
    const no = { reason: { code: "unavailable", applied: "no" } };
    expect(await outcomes).toMatchObject([maybe, maybe, maybe, no]);
    await store.read({ key: "a" });
    expect(await admin.hget("{lockstep}:entries", "\u0001")).toBe(before);
  });

  test("on a full server are refused where they add keys, and not where they release", async () => {
    await admin.config("SET", "maxmemory", "1");
    const { revision } = await store.read({ key: "warm" });
    const [added, looked, released] = await Promise.allSettled([
      store.commit({ then: [put("a")] }),
      store.read({ key: "a" }),
      store.commit({ then: [drop("warm")], read: { prefix: "" } }),
    ]);
    expect(added).toMatchObject({ reason: { code: "unavailable", applied: "no" } });
    expect(looked).toMatchObject({ value: { revision, entries: [] } });
    expect(released).toMatchObject({ value: { ok: true, snapshot: { entries: [] } } });
    await expect(store.openSession({ ttlMs: 1000 })).rejects.toMatchObject({ code: "unavailable" });
  });
});
