import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Write } from "lockstep/store";
import { openZookeeperStore, type ZookeeperStore } from "lockstep/zookeeper";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Layout } from "../../src/engines/zookeeper/layout.js";
import { soon } from "../../src/conformance/shorthand.js";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { freePort } from "../rig/free-port.js";
import { bareClient } from "./bare-client.js";
import { startZookeeper } from "../rig/zookeeper.js";
import type { RunningServer } from "../rig/running-server.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("zookeeper", "a ZooKeeper server that is away for a while", () => {
  let server: RunningServer;
  let proxy: FaultProxy;
  let store: ZookeeperStore;
  /** By a way of its own, on which nothing goes wrong. */
  let other: ZookeeperStore;
  let namespaces = 0;

  beforeAll(async () => {
    server = await startZookeeper();
  }, 60_000);
  afterAll(() => server.stop());

  beforeEach(async () => {
    proxy = await FaultProxy.start({ to: server.port });
    const namespace = `test/${++namespaces}`;
    store = await openZookeeperStore({ endpoints: [`127.0.0.1:${proxy.port}`], namespace });
    other = await openZookeeperStore({ endpoints: [`127.0.0.1:${server.port}`], namespace });
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([store.close(), other.close()]);
    await proxy.close();
  });

  const keys = async () => (await other.read({ prefix: "" })).entries.map(({ key }) => key);
  const commitsOf = async (key: string) => (await other.read({ key })).entries[0];

  test("a commit whose answer is lost is of unknown outcome, and is not made again", async () => {
    const { revision } = await other.commit({ then: [put("a", "0")] }).then((verdict) => verdict.snapshot);
    proxy.drop("client");
    const lost = store.commit({ when: [{ kind: "absent", key: "b" }], then: [put("b")] });
    await expect(lost).rejects.toMatchObject({ code: "unknown-outcome", applied: "maybe" });
    const made = await commitsOf("b");
    expect(made?.created).toBeGreaterThan(revision);
    await other.commit({ then: [{ kind: "delete", key: "b" }] });
    await proxy.heal();
    // Whatever was to come on the new connection has come before this.
    await store.commit({ then: [put("c")] });
    expect(await keys()).toEqual(["a", "c"]);
  });

  test("a commit that was not sent is made when the server is back soon", async () => {
    await proxy.refuse();
    const waiting = store.commit({ then: [put("a")] });
    await proxy.heal();
    await expect(waiting).resolves.toMatchObject({ ok: true });
  });

  test("every call fails in bounded time when the server is gone for longer", async () => {
    const session = await store.openSession({ ttlMs: 30_000 });
    await proxy.refuse();
    const calls: Promise<unknown>[] = [
      store.commit({ then: [put("a")] }),
      store.commit({ then: [put("b", "", session.id)] }),
      store.read({ key: "a" }),
      store.openSession({ ttlMs: 1000 }),
    ];
    const away = { code: "unavailable", applied: "no" };
    await Promise.all(calls.map((call) => expect(soon(call, "a call")).rejects.toMatchObject(away)));
    await proxy.heal();
    await store.commit({ then: [put("c", "", session.id)] });
    expect(await keys()).toEqual(["c"]);
  });

  test("a connection that hears nothing is given up for another", async () => {
    proxy.hold();
    await expect(store.read({ key: "a" })).rejects.toMatchObject({ code: "unavailable", applied: "no" });
    await proxy.heal();
    await store.read({ key: "a" });
  });

  test("also when nobody asks for anything", async () => {
    const { accepted } = proxy;
    proxy.hold();
    await expect.poll(() => proxy.accepted, { timeout: 15_000 }).toBeGreaterThan(accepted);
  });

  test("a session that is cut off is lost by its own clock, before its keys vanish", async () => {
    const session = await store.openSession({ ttlMs: 1000 });
    await store.commit({ then: [put("a", "", session.id)] });
    const watcher = new Watcher(other, "a");
    await watcher.resync();
    proxy.drop();
    const lost = new Promise((resolve) => session.onEnd(resolve));
    const gone = watcher.until((state) => state.size === 0).then(() => session.isValid());
    expect(await soon(lost, "the loss of the session")).toBe("lost");
    expect(await gone).toBe(false);
  });

  test("a session survives a broken connection, with its keys", async () => {
    const session = await store.openSession({ ttlMs: 1500 });
    await store.commit({ then: [put("a", "", session.id)] });
    const { validUntil } = session;
    for (let i = 0; i < 8; i++) {
      proxy.cut();
      await sleep(250);
    }
    expect(session.isValid()).toBe(true);
    expect(session.validUntil).toBeGreaterThan(validUntil);
    expect((await commitsOf("a"))?.session).toBe(session.id);
    await session.end();
    expect(await keys()).toEqual([]);
  });

  test("a session whose node was deleted is lost at its next renewal", async () => {
    const session = await store.openSession({ ttlMs: 1500 });
    const lost = new Promise((resolve) => session.onEnd(resolve));
    const bare = bareClient(server.port);
    const path = new Layout(`test/${namespaces}`).sessionAt(session.id);
    expect(await bare.write({ kind: "delete", path })).toBe(undefined);
    expect(await soon(lost, "the loss of the session")).toBe("lost");
    await bare.link.close();
  });

  test("a watch goes on after a broken connection, and misses nothing", async () => {
    await other.commit({ then: [put("w/a")] });
    const watchers = [new Watcher(store, "w/"), new Watcher(store, "")];
    for (const watcher of watchers) await watcher.resync();
    await proxy.refuse();
    await other.commit({ then: [put("w/b"), { kind: "delete", key: "w/a" }] });
    await proxy.heal();
    for (const watcher of watchers) {
      await watcher.until((state) => state.has("w/b") && !state.has("w/a"));
    }
    await other.commit({ then: [put("w/c")] });
    for (const watcher of watchers) await watcher.until((state) => state.has("w/c"));
  });

  test("a watch that begins while the server is away begins when it is back", async () => {
    await other.commit({ then: [put("w/a")] });
    await proxy.refuse();
    const watcher = new Watcher(store, "w/");
    const told = watcher.resync();
    await sleep(6000);
    await proxy.heal();
    expect((await told).snapshot.entries.map(({ key }) => key)).toEqual(["w/a"]);
  });

  test("close() does not wait for a server that is gone", async () => {
    await store.openSession({ ttlMs: 1000 });
    const watching = store.watch("").next();
    proxy.hold();
    await Promise.all([soon(store.close(), "close()"), expect(watching).rejects.toThrow()]);
  });

  test("a restart keeps the keys, the sessions, and the order of revisions", async () => {
    const session = await store.openSession({ ttlMs: 30_000 });
    const before = await store.commit({ then: [put("a", "", session.id), put("b")], read: { key: "b" } });
    const watcher = new Watcher(other, "");
    await watcher.resync();
    await server.restart();
    expect(await keys()).toEqual(["a", "b"]);
    const after = await store.commit({ then: [put("c", "", session.id)], read: { key: "c" } });
    expect(after.snapshot.revision).toBeGreaterThan(before.snapshot.revision);
    await watcher.until((state) => state.has("c"));
    await session.end();
    expect(await keys()).toEqual(["b"]);
  }, 60_000);

  test("a server that was never there is told of in bounded time", async () => {
    const opening = openZookeeperStore({ endpoints: [`127.0.0.1:${await freePort()}`] });
    await expect(soon(opening, "an answer")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("so is one that speaks something else", async () => {
    const stranger = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { port } = stranger.address() as { port: number };
    const opening = openZookeeperStore({ endpoints: [`127.0.0.1:${port}`] });
    await expect(soon(opening, "an answer")).rejects.toMatchObject({ code: "unavailable" });
    stranger.close();
  });
});
