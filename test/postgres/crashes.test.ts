// What a crash of the server leaves: no token twice, no two holders, and clients that go on.
import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError } from "lockstep/base";
import { openPostgresStore } from "lockstep/postgres";
import type { Store } from "lockstep/store";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { made, put, textOf } from "../../src/conformance/shorthand.js";
import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";
import { startPostgresStandby } from "../rig/postgres-standby.js";

const ttlMs = 1000;

function open(server: RunningServer, namespace: string): Promise<Store> {
  return openPostgresStore({ connection: { connectionString: server.address }, namespace });
}

async function sql(address: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(address);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** Whatever the server does meanwhile: when it answers again, what it says. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isLockstepError(error)) throw error;
      await sleep(20);
    }
  }
}

/** Writes with all its might until told to stop, and collects the revisions that it is given. */
function hammer(store: Store, name: string, handedOut: bigint[]) {
  let isOn = true;
  const work = async () => {
    for (let turn = 0; isOn; turn++) {
      try {
        const session = await store.openSession({ ttlMs: 100 });
        const { revision } = await made(store, { then: [put(`${name}/${turn}`, "", session.id)] });
        handedOut.push(revision);
        handedOut.push((await made(store, { then: [put(`${name}/kept`)] })).revision);
        await session.end();
      } catch (error) {
        // Refused for the death of its session, or a server that is away.
        if (!isLockstepError(error) && !(error instanceof Error && error.name === "AssertionError"))
          throw error;
        await sleep(5);
      }
    }
  };
  const done = Promise.all([work(), work(), work()]);
  return async () => {
    isOn = false;
    await done;
  };
}

describeOn("postgres", "a crash of the server", () => {
  let server: RunningServer;

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("leaves every token below those that come after it, however often it crashes", async () => {
    // A commit that is acknowledged may be lost then, but no ceiling.
    const server = await startPostgres({ settings: ["synchronous_commit = off"] });
    const store = await open(server, "tokens");
    const handedOut: bigint[] = [];
    const stop = hammer(store, "hammer", handedOut);
    for (let crash = 0; crash < 6; crash++) {
      const count = handedOut.length;
      while (handedOut.length < count + 20) {
        // The ceiling is just above, so that it is raised all the time.
        await sql(
          server.address,
          `begin; select from tokens.live for update; update tokens.installation set ceiling = revision + 2
           from tokens.live; update tokens.live set ceiling = revision + 2; commit`,
        );
        await sleep(10);
      }
      server.kill("SIGQUIT");
      await server.exited();
      const highest = handedOut.reduce((a, b) => (a > b ? a : b), 0n);
      await server.restart();
      const { revision } = await persistently(() => store.commit({ then: [put("after")] })).then(
        (verdict) => {
          if (!verdict.ok) throw new Error("there is no condition");
          return verdict;
        },
      );
      expect(revision).toBeGreaterThan(highest);
    }
    await stop();
    expect(new Set(handedOut).size).toBe(handedOut.length);
    await store.close();
    await server.stop();
  }, 120_000);

  test("ends every session, and opens none while one of before may think itself alive", async () => {
    const store = await open(server, "quiet");
    const other = await open(server, "quiet");
    const longer = await store.openSession({ ttlMs: 3000 });
    const session = await store.openSession({ ttlMs });
    await made(store, { then: [put("bound", "", longer.id), put("free")] });
    server.kill("SIGQUIT");
    await server.exited();
    await server.restart();
    expect((await persistently(() => other.read({ prefix: "" }))).entries.map(({ key }) => key)).toEqual([
      "free",
    ]);
    const later = await persistently(() => other.openSession({ ttlMs }));
    expect([session.isValid(), longer.isValid()]).toEqual([false, false]);
    expect(later.isValid()).toBe(true);
    await Promise.all([store.close(), other.close()]);
  }, 30_000);

  test("twice in a row does not forget for how long to wait", async () => {
    const store = await open(server, "twice");
    const session = await store.openSession({ ttlMs: 4000 });
    for (let crash = 0; crash < 2; crash++) {
      server.kill("SIGQUIT");
      await server.exited();
      await server.restart();
      await persistently(() => store.commit({ then: [put("a", String(crash))] }));
    }
    const later = await persistently(() => store.openSession({ ttlMs }));
    expect(session.isValid()).toBe(false);
    await later.end();
    await store.close();
  }, 30_000);

  test("after the sessions have ended keeps nobody waiting", async () => {
    const store = await open(server, "ended");
    const session = await store.openSession({ ttlMs: 24 * 3600 * 1000 });
    await session.end();
    server.kill("SIGQUIT");
    await server.exited();
    await server.restart();
    const later = await persistently(() => store.openSession({ ttlMs }));
    expect(later.isValid()).toBe(true);
    await store.close();
  }, 30_000);

  test("is a resync to those who watch", async () => {
    const store = await open(server, "watched");
    const session = await store.openSession({ ttlMs });
    await made(store, { then: [put("bound", "", session.id)] });
    const watch = store.watch("");
    expect(((await watch.next()).value as { kind: string }).kind).toBe("resync");
    server.kill("SIGQUIT");
    await server.exited();
    await server.restart();
    const told = (await watch.next()).value;
    expect(told?.kind === "resync" && told.snapshot.entries).toEqual([]);
    const next = watch.next();
    await persistently(() => store.commit({ then: [put("later")] }));
    expect((await next).value?.kind).toBe("batch");
    await store.close();
  }, 30_000);
});

describeOn("postgres", "a fast restart of the server", () => {
  test("under load spares the sessions, and what was acknowledged", async () => {
    const server = await startPostgres();
    const store = await open(server, "restart");
    const session = await store.openSession({ ttlMs: 20_000 });
    await made(store, { then: [put("bound", "", session.id)] });
    const handedOut: bigint[] = [];
    const stop = hammer(await open(server, "restart"), "hammer", handedOut);
    for (let turn = 0; turn < 2; turn++) {
      await sleep(200);
      await server.restart();
    }
    await persistently(() => store.commit({ then: [put("after")] }));
    await stop();
    expect(new Set(handedOut).size).toBe(handedOut.length);
    const { entries } = await store.read({ key: "bound" });
    expect(entries[0]?.session).toBe(session.id);
    expect(session.isValid()).toBe(true);
    await store.close();
    await server.stop();
  }, 60_000);
});

describeOn("postgres", "a standby that is promoted", () => {
  test("gives higher tokens, though it has missed a raise of the ceiling", async () => {
    const servers = await startPostgresStandby();
    const address = () => `postgres://postgres@127.0.0.1:${servers.leaderPort}/postgres`;
    const namespace = "failover";
    const store = await openPostgresStore({ connection: { connectionString: address() }, namespace });
    await made(store, { then: [put("a")] });
    const replicated = "select from pg_stat_replication where replay_lsn >= pg_current_wal_lsn()";
    while ((await sql(address(), replicated)).rows.length === 0) await sleep(50);
    await servers.stopReplication();
    for (let raise = 0; raise < 2; raise++) {
      await sql(address(), `update ${namespace}.live set revision = ceiling`);
      await made(store, { then: [put("a")] });
    }
    const { revision: lost } = await made(store, { then: [put("a", "lost")] });
    await servers.killLeader();
    const survivor = await openPostgresStore({ connection: { connectionString: address() }, namespace });
    const { revision, snapshot } = await made(survivor, { then: [put("b")], read: { key: "a" } });
    expect(snapshot.entries.map(textOf)).toEqual(["a"]);
    expect(revision).toBeGreaterThan(lost);
    await Promise.all([survivor.close(), store.close()]);
    await servers.stop();
  }, 60_000);
});
