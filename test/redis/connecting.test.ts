import { connect } from "lockstep";
import { systemClock } from "lockstep/base";
import { openRedisStore, redisStoreAt } from "lockstep/redis";
import type { Write } from "lockstep/store";
import { Cluster, Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { makeCertificates } from "../rig/certificates.js";
import { describeOn } from "../rig/available.js";
import { startRedis } from "../rig/redis.js";
import { temporaryFolder } from "../rig/temporary-folder.js";

const clock = systemClock;
const put = (key: string, value = key): Write => ({ kind: "put", key, value: Buffer.from(value) });

async function usedAt(address: string): Promise<void> {
  const store = await redisStoreAt(address, { clock });
  try {
    const watch = store.watch("");
    await watch.next();
    await store.commit({ then: [put("a")] });
    await watch.next();
  } finally {
    await store.close();
  }
}

describe("an address that makes no sense", () => {
  test.each([
    ["redis://", "no host"],
    ["redis://h1,h2", "sentinel"],
    ["redis://h1/app", "?namespace="],
    ["redis://h1?namespace=a{b}", "braces"],
    ["redis://h1?namespace=", "must not be empty"],
    ["redis://h1?timeout=3", '"timeout"'],
    ["rediss://h1?ca=nowhere.pem", "cannot be read"],
  ])("is refused: %s", async (address, reason) => {
    await expect(redisStoreAt(address, { clock })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining(reason) as string,
    });
  });

  test("of nobody is told at once", async () => {
    await expect(redisStoreAt("redis://127.0.0.1:1", { clock })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
  });
});

describeOn("redis", "a Redis server", () => {
  test("is not used by a database that it has not: the first one would be used instead", async () => {
    const server = await startRedis();
    try {
      await expect(redisStoreAt(`${server.address}/99`, { clock })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(/database 99 cannot be selected: .*out of range/) as string,
      });
    } finally {
      await server.stop();
    }
  });

  test("takes no address where it wants a client", async () => {
    const redis = "redis://127.0.0.1" as unknown as Redis;
    await expect(openRedisStore({ redis })).rejects.toMatchObject({ code: "bad-input" });
  });

  test("is used by its address; its databases and namespaces do not meet", async () => {
    const server = await startRedis();
    const stores = await Promise.all(
      ["", "/1", "?namespace=other"].map((rest) => redisStoreAt(server.address + rest, { clock })),
    );
    try {
      const watches = stores.map((store) => store.watch(""));
      for (const watch of watches) await watch.next();
      for (const [i, store] of stores.entries()) await store.commit({ then: [put("a", String(i))] });
      for (const [i, watch] of watches.entries()) {
        const told = (await watch.next()).value;
        const value = new TextEncoder().encode(String(i));
        expect(told).toMatchObject({ kind: "batch", events: [{ key: "a", entry: { value } }] });
        const { entries } = await stores[i]!.read({ prefix: "" });
        expect(entries.map(({ value }) => Buffer.from(value).toString())).toEqual([String(i)]);
      }
    } finally {
      for (const store of stores) await store.close();
      await server.stop();
    }
  });

  test("with locks, by connect(): one script to acquire, one to release, nothing else", async () => {
    const server = await startRedis();
    const admin = new Redis({ port: server.port });
    const lockstep = await connect(server.address);
    try {
      const lock = lockstep.lock("a");
      await (await lock.acquire()).release();
      await admin.config("RESETSTAT");
      for (let i = 0; i < 10; i++) await (await lock.acquire()).release();
      const stats = await admin.info("commandstats");
      expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe("20");
      expect(stats).not.toMatch(/cmdstat_(eval|subscribe|ping|get|set):/);
    } finally {
      await lockstep.close();
      admin.disconnect();
      await server.stop();
    }
  });

  test("that asks for a user and a password", async () => {
    const may = "~{lockstep}:* &* +@connection +@pubsub +@scripting +@hash +@sortedset +time +info";
    const acl = ["--user", "app", "on", ">se:cret", ...may.split(" "), "--user", "default", "off"];
    const server = await startRedis({ args: acl });
    const at = (who: string) => server.address.replace("//", `//${who}@`);
    try {
      await usedAt(at("app:se%3Acret"));
      for (const who of ["app:wrong", "nobody:se%3Acret"]) {
        await expect(redisStoreAt(at(who), { clock })).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringMatching(/WRONGPASS/) as string,
        });
      }
      await expect(usedAt(server.address)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/NOAUTH/) as string,
      });
    } finally {
      await server.stop();
    }
  });

  test("that speaks TLS, and is known by its authority only", async () => {
    const certificates = makeCertificates(temporaryFolder("redis-tls"));
    const server = await startRedis({ tls: { ...certificates.server, ca: certificates.ca } });
    try {
      await usedAt(`${server.address}?ca=${encodeURIComponent(certificates.ca)}`);
      await expect(usedAt(server.address)).rejects.toMatchObject({ code: "unavailable" });
      await expect(usedAt(server.address.replace("rediss", "redis"))).rejects.toMatchObject({
        code: "unavailable",
      });
    } finally {
      await server.stop();
    }
  });

  test("by a client of one's own, whose prefix and database are kept, and which stays open", async () => {
    const server = await startRedis();
    const redis = new Redis({ port: server.port, db: 2, keyPrefix: "app:", maxRetriesPerRequest: 20 });
    const store = await openRedisStore({ redis, namespace: "jobs" });
    try {
      await store.commit({ then: [put("a")] });
      const watch = store.watch("a");
      await watch.next();
      await store.close();
      expect(redis.status).toBe("ready");
      expect((await redis.keys("*")).sort()).toEqual(["app:{jobs}:entries", "app:{jobs}:index"]);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });

  test("that is out of memory refuses new keys, and still takes releases, reads and renewals", async () => {
    const server = await startRedis();
    const admin = new Redis({ port: server.port });
    const store = await openRedisStore({ redis: { port: server.port } });
    try {
      const session = await store.openSession({ ttlMs: 1000 });
      await store.commit({ then: [put("a"), { ...put("b"), session: session.id } as Write] });
      await admin.config("SET", "maxmemory", "1");
      await expect(store.commit({ then: [put("c")] })).rejects.toMatchObject({
        code: "unavailable",
        applied: "no",
        message: expect.stringContaining("OOM") as string,
      });
      expect(await store.commit({ then: [{ kind: "delete", key: "a" }] })).toMatchObject({ ok: true });
      const { validUntil } = session;
      await expect.poll(() => session.validUntil, { timeout: 3000 }).toBeGreaterThan(validUntil);
      expect((await store.read({ prefix: "" })).entries.map(({ key }) => key)).toEqual(["b"]);
    } finally {
      await store.close();
      admin.disconnect();
      await server.stop();
    }
  });

  test("that is a cluster, by a client of one's own", async () => {
    const server = await startRedis({
      args: ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
    });
    const admin = new Redis({ port: server.port });
    await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await expect.poll(() => admin.cluster("INFO"), { timeout: 10_000 }).toContain("cluster_state:ok");
    const cluster = new Cluster([{ host: "127.0.0.1", port: server.port }]);
    const store = await openRedisStore({ redis: cluster });
    try {
      const watch = store.watch("");
      await watch.next();
      await store.commit({ then: [put("a"), put("b")] });
      expect((await watch.next()).value).toMatchObject({ events: [{ key: "a" }, { key: "b" }] });
      await server.restart();
      await expect
        .poll(() => store.commit({ then: [put("c")] }).catch(() => undefined), { timeout: 15_000 })
        .toMatchObject({ ok: true });
      expect((await watch.next()).value).toMatchObject({ kind: "resync" });
    } finally {
      await store.close();
      cluster.disconnect();
      admin.disconnect();
      await server.stop();
    }
  }, 40_000);
});
