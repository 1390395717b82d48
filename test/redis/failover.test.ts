import { Lockstep } from "lockstep";
import { openRedisStore, redisStoreAt, type RedisStore } from "lockstep/redis";
import { systemClock } from "lockstep/base";
import type { Write } from "lockstep/store";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { startRedisReplica } from "../rig/redis-replica.js";
import { startRedis } from "../rig/redis.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("redis", "a failover to a replica", () => {
  test("that lacks a lock lets a second holder in, as declared; with a higher token", async () => {
    const servers = await startRedisReplica();
    const at = (port: number) => openRedisStore({ redis: { port } });
    const first = new Lockstep(await at(servers.leaderPort), { ttlMs: 5_000 });
    let second: Lockstep | undefined;
    try {
      // Known to both: more is to be lost than the whole namespace.
      await (await first.lock("warm").acquire()).release();
      await servers.stopReplication();
      const held = await first.lock("a").acquire();
      await servers.killLeader();
      second = new Lockstep(await at(servers.leaderPort));
      const overlapping = await second.lock("a").acquire({ timeoutMs: 5000 });
      expect(held.isHeld, "who holds it does not know yet").toBe(true);
      expect(overlapping.token).toBeGreaterThan(held.token);
      await overlapping.release();
    } finally {
      await second?.close();
      await first.close();
      await servers.stop();
    }
  }, 60_000);

  test("that has everything keeps locks, and sessions by their time", async () => {
    const servers = await startRedisReplica();
    const proxy = await FaultProxy.start({ to: servers.leaderPort });
    const store = await openRedisStore({ redis: { port: proxy.port } });
    let other: RedisStore | undefined;
    try {
      const session = await store.openSession({ ttlMs: 5000 });
      const { revision } = await made(store, put("a", "", session.id));
      await expect.poll(() => isReplicated(servers.leaderPort), { timeout: 10_000 }).toBe(true);
      await proxy.refuse();
      await servers.killLeader();
      other = await openRedisStore({ redis: { port: servers.leaderPort } });
      const watcher = new Watcher(other, "");
      await watcher.until((state) => state.has("a"));
      await watcher.until((state) => !state.has("a"));
      expect(session.isValid()).toBe(false);
      expect((await made(other, put("a"))).revision).toBeGreaterThan(revision);
    } finally {
      await other?.close();
      await proxy.close();
      await store.close();
      await servers.stop();
    }
  }, 60_000);
});

describeOn("redis", "a replica", () => {
  test("is not asked and gives no stale answer, until it is the master", async () => {
    const server = await startRedis();
    const admin = new Redis({ port: server.port });
    const store = await redisStoreAt(server.address, { clock: systemClock });
    try {
      await store.commit({ then: [put("a")] });
      const watcher = new Watcher(store, "");
      await watcher.resync();
      await admin.call("REPLICAOF", "127.0.0.1", "1");
      const calls = [
        () => store.read({ key: "a" }),
        () => store.commit({ then: [] }),
        () => store.commit({ then: [put("a")] }),
        () => store.commit({ when: [{ kind: "absent", key: "a" }], then: [] }),
        () => store.openSession({ ttlMs: 1000 }),
      ];
      for (const call of calls) {
        await expect
          .poll(() => call().catch((error: unknown) => error))
          .toMatchObject({
            code: "unavailable",
            applied: "no",
            message: expect.stringContaining("READONLY") as string,
          });
      }
      // The watch has to look anew, and cannot: it waits.
      const hearing = watcher.until((state) => state.has("b"));
      await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
      await expect.poll(() => admin.pubsub("NUMPAT")).toBe(1);
      await store.read({ key: "a" }).catch(() => undefined);
      await admin.call("REPLICAOF", "NO", "ONE");
      await expect.poll(() => store.commit({ then: [put("b")] }).catch(() => undefined)).toBeDefined();
      await hearing;
    } finally {
      await store.close();
      admin.disconnect();
      await server.stop();
    }
  });
});

async function made(store: RedisStore, write: Write) {
  const verdict = await store.commit({ then: [write] });
  if (!verdict.ok) expect.fail("refused");
  return verdict;
}

async function isReplicated(port: number): Promise<boolean> {
  const redis = new Redis({ port });
  const info = await redis.info("replication");
  redis.disconnect();
  return /offset=(\d+),/.exec(info)?.[1] === /master_repl_offset:(\d+)/.exec(info)?.[1];
}
