// A network that loses, holds and cuts, and a server that does not answer.
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError } from "lockstep/base";
import { openPostgresStore } from "lockstep/postgres";
import type { Store } from "lockstep/store";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { absent, entryOf, failsWith, made, put, soon, textOf } from "../../src/conformance/shorthand.js";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { startPostgres } from "../rig/postgres.js";
import type { RunningServer } from "../rig/running-server.js";

const namespace = "outages";

/** What keeps this process alive for connections to that port. */
function socketsTo(port: number): unknown[] {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles(): unknown[] };
  return _getActiveHandles
    .call(process)
    .filter((handle) => handle instanceof Socket && handle.remotePort === port);
}

describeOn("postgres", "an outage", () => {
  let server: RunningServer;
  let proxy: FaultProxy;
  /** Not through the proxy. */
  let direct: Store;

  beforeAll(async () => {
    server = await startPostgres();
    proxy = await FaultProxy.start({ to: server.port });
    direct = await openPostgresStore({ connection: { connectionString: server.address }, namespace });
  });
  afterAll(async () => {
    await direct.close();
    await proxy.close();
    await server.stop();
  });

  function openThroughProxy(): Promise<Store> {
    const connectionString = server.address.replace(`:${server.port}/`, `:${proxy.port}/`);
    return openPostgresStore({ connection: { connectionString }, namespace });
  }

  async function sql(text: string): Promise<pg.QueryResult> {
    const client = new pg.Client(server.address);
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  }

  test("that loses the reply of a commit leaves it unknown, and never makes it twice", async () => {
    const store = await openThroughProxy();
    await made(store, { then: [put("reply", "0")] });
    proxy.drop("client");
    const error: unknown = await store.commit({ then: [put("reply", "1")] }).catch((error: unknown) => error);
    expect(isLockstepError(error, "unknown-outcome") && error.applied).toBe("maybe");
    const { revision } = await made(direct, { then: [put("reply", "2")] });
    await proxy.heal();
    expect((await store.read({ key: "reply" })).entries[0]?.modified).toBe(revision);
    await store.close();
  });

  test("that cuts a connection in the middle of a commit leaves it unknown", async () => {
    const store = await openThroughProxy();
    await made(store, { then: [put("cut", "0")] });
    proxy.hold("client");
    const outcome = failsWith("unknown-outcome", () => store.commit({ then: [put("cut", "1")] }));
    while (textOf(await entryOf(direct, "cut")) !== "1") await sleep(5);
    await sleep(50);
    proxy.cut();
    await proxy.heal();
    await outcome;
    expect(textOf(await entryOf(store, "cut"))).toBe("1");
    await store.close();
  });

  test("between two calls goes unnoticed", async () => {
    const store = await openThroughProxy();
    for (let turn = 0; turn < 3; turn++) {
      await made(store, { then: [put("idle", String(turn))] });
      proxy.cut();
      while (proxy.connections > 0) await sleep(5);
      await sleep(5);
    }
    await store.close();
  });

  test("of a server that is not there is told at once, and is over when it is back", async () => {
    const store = await openThroughProxy();
    await proxy.refuse();
    await sleep(50);
    await failsWith("unavailable", () => store.commit({ then: [put("a")] }));
    await failsWith("unavailable", () => store.read({ key: "a" }));
    await failsWith("unavailable", () => store.openSession({ ttlMs: 1000 }));
    await failsWith("unavailable", async () => store.watch("").next());
    await proxy.heal();
    await made(store, { then: [put("a")] });
    await store.close();
  });

  test("in which nothing is answered is told after a while", async () => {
    const store = await openThroughProxy();
    proxy.hold();
    const error: unknown = await store.read({ key: "a" }).catch((error: unknown) => error);
    expect(isLockstepError(error, "unavailable") && error.applied).toBe("no");
    // From here on it has no connection, and gets none.
    await failsWith("unavailable", () => store.commit({ then: [put("a")] }));
    await proxy.heal();
    await made(store, { then: [put("a")] });
    await store.close();
  }, 30_000);

  test("spares sessions and watches that it does not outlast", async () => {
    const store = await openThroughProxy();
    const session = await store.openSession({ ttlMs: 3000 });
    await made(store, { then: [put("w/bound", "", session.id)] });
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    await proxy.refuse();
    await made(direct, { then: [put("w/missed")] });
    await sleep(1500);
    await proxy.heal();
    await watcher.until((state) => state.has("w/missed"));
    await made(direct, { then: [put("w/later")] });
    expect((await watcher.batch()).events[0]?.key).toBe("w/later");
    await sleep(2500);
    expect(session.isValid()).toBe(true);
    expect((await entryOf(direct, "w/bound"))?.session).toBe(session.id);
    await store.close();
  });

  test("of the connection that listens, without a word, is noticed", async () => {
    const store = await openThroughProxy();
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    const found = await sql(
      "select pid from pg_stat_activity where query ~ '^(listen|select .*pulse)' and pid <> pg_backend_pid()",
    );
    const [{ pid }] = found.rows as [{ pid: number }];
    process.kill(pid, "SIGSTOP");
    await made(direct, { then: [put("w/unheard", "news")] });
    await watcher.until((state) => textOf(state.get("w/unheard")) === "news");
    process.kill(pid, "SIGCONT");
    await store.close();
  }, 30_000);

  test("of a listener that the server has forgotten is a resync", async () => {
    const store = await openThroughProxy();
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    await sql(`delete from ${namespace}.listener; delete from ${namespace}.interest`);
    await made(direct, { then: [put("w/unheard", "forgotten")] });
    await watcher.until((state) => textOf(state.get("w/unheard")) === "forgotten");
    await store.close();
  });

  test("does not keep close() from ending", async () => {
    const store = await openThroughProxy();
    await store.openSession({ ttlMs: 24 * 3600 * 1000 });
    const watch = store.watch("");
    await watch.next();
    const next = failsWith("closed", () => watch.next());
    proxy.hold();
    await store.close();
    await next;
    expect(socketsTo(proxy.port)).toEqual([]);
    await proxy.heal();
  }, 40_000);

  test("does not keep the process alive after it, idle as its connections were", async () => {
    const store = await openThroughProxy();
    await store.read({ key: "a" });
    proxy.hold();
    await store.close();
    expect(socketsTo(proxy.port)).toEqual([]);
    await proxy.heal();
  });

  test("that brings a withdrawal late does not cost a watch of the same that was begun since", async () => {
    const before = direct.watch("late", { exact: true });
    await before.next();
    const interests = async () =>
      (await sql(`select client, number from ${namespace}.interest where prefix = 'late'`)).rows as unknown[];
    const [{ client, number }] = (await interests()) as [{ client: string; number: string }];
    await before.return?.();
    await expect.poll(interests).toEqual([]);
    const again = direct.watch("late", { exact: true });
    await again.next();
    const deafen = `['deafen', '${client}', 'late', 'true', '${number}']`;
    const steps = `array[${deafen}, ['commit', null, null, null, null]]`;
    await sql(`set search_path = ${namespace}; select transact(${steps}, 0)`);
    await made(direct, { then: [put("late")] });
    expect((await soon(again.next(), "news of it")).value?.kind).toBe("batch");
  });

  test("of the lock of all commits is told as no change at all", async () => {
    const blocker = new pg.Client(server.address);
    await blocker.connect();
    await blocker.query(`begin; select from ${namespace}.live for update`);
    const error: unknown = await direct
      .commit({ when: [absent("never")], then: [put("never")] })
      .catch((error: unknown) => error);
    expect(isLockstepError(error, "unavailable") && error.applied).toBe("no");
    await blocker.query("rollback");
    await blocker.end();
    expect(await entryOf(direct, "never")).toBe(undefined);
  }, 30_000);
});
