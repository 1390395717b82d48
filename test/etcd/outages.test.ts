import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError } from "lockstep/base";
import { openEtcdStore, type EtcdStore } from "lockstep/etcd";
import type { Entry, Write } from "lockstep/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import { startEtcd } from "../rig/etcd.js";
import type { RunningServer } from "../rig/running-server.js";
import { FaultProxy } from "../rig/fault-proxy.js";
import { gateway } from "./gateway.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("etcd", "an etcd that is away for a while", () => {
  let server: RunningServer;
  let proxy: FaultProxy;
  let store: EtcdStore;
  /** By a way of its own, on which nothing goes wrong. */
  let other: EtcdStore;
  beforeEach(async () => {
    server = await startEtcd();
    proxy = await FaultProxy.start({ to: server.port });
    store = await openEtcdStore({ endpoints: [`127.0.0.1:${proxy.port}`] });
    other = await openEtcdStore({ endpoints: [`127.0.0.1:${server.port}`] });
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([store.close(), other.close()]);
    await proxy.close();
    await server.stop();
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
    const { validUntil } = session;
    await expect.poll(() => session.validUntil, { timeout: 8000 }).toBeGreaterThan(validUntil);
    expect((await other.read({ key: "mine" })).entries).toHaveLength(1);
  });

  test("a watch that was cut is told each commit that it missed, in order", async () => {
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    await proxy.refuse();
    for (let i = 0; i < 300; i++) await other.commit({ then: [put(`w/${i % 7}`, String(i))] });
    await proxy.heal();
    for (let i = 0; i < 300; i++) {
      const { events } = await watcher.batch();
      expect(events.map(({ key }) => key)).toEqual([`w/${i % 7}`]);
    }
  });

  test("a watch that was cut while what it missed was compacted begins again with a resync", async () => {
    const watcher = new Watcher(store, "w/");
    await watcher.resync();
    await proxy.refuse();
    for (let i = 0; i < 10; i++) await other.commit({ then: [put(`w/${i}`)] });
    const { revision } = await other.read({ prefix: "" });
    await gateway(server.port, "kv/compaction", { revision: String(revision) });
    await proxy.heal();
    await watcher.resync();
    await other.commit({ then: [put("w/after")] });
    await watcher.batch();
    watcher.assertSame(await other.read({ prefix: "w/" }));
  });

  test("a watch in a cluster that was made anew, whose revisions are lower, begins again", async () => {
    for (let i = 0; i < 10; i++) await other.commit({ then: [put(`w/${i}`)] });
    const watch = store.watch("w/");
    await watch.next();
    await server.stop();
    const anew = await startEtcd({ port: server.port });
    try {
      expect(await watch.next()).toMatchObject({ value: { kind: "resync", snapshot: { entries: [] } } });
      await other.commit({ then: [put("w/after")] });
      expect(await watch.next()).toMatchObject({ value: { kind: "batch", events: [{ key: "w/after" }] } });
    } finally {
      await anew.stop();
    }
  });

  test("no commit is made twice, however often the server is killed in the middle of it", async () => {
    let acknowledged = 0;
    let unknown = 0;
    let isOver = false;
    const count = async () => {
      while (!isOver) {
        const { entries } = await store.read({ key: "counter" }).catch(() => ({ entries: undefined }));
        if (!entries) continue;
        try {
          const verdict = await store.commit(next(entries[0]));
          if (verdict.ok) acknowledged++;
        } catch (error) {
          if (!isLockstepError(error)) throw error;
          if (error.applied === "maybe") unknown++;
          expect(error.code).toBe(error.applied === "maybe" ? "unknown-outcome" : "unavailable");
        }
      }
    };
    const counting = Promise.all([count(), count(), count(), count()]);
    for (let round = 0; round < 3; round++) {
      await sleep(400);
      server.kill("SIGKILL");
      await server.restart();
    }
    await sleep(400);
    isOver = true;
    await counting;
    const total = Number(Buffer.from((await other.read({ key: "counter" })).entries[0]!.value).toString());
    expect(acknowledged).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(acknowledged);
    expect(total).toBeLessThanOrEqual(acknowledged + unknown);
  }, 40_000);

  test("a commit whose reply is lost is of unknown outcome, and was made once", async () => {
    proxy.drop("client");
    const committing = store.commit({ then: [put("x")] });
    await expect.poll(async () => (await other.read({ key: "x" })).entries.length).toBe(1);
    proxy.cut();
    await expect(committing).rejects.toMatchObject({ code: "unknown-outcome", applied: "maybe" });
    const [entry] = (await other.read({ key: "x" })).entries;
    expect(entry?.created).toBe(entry?.modified);
  });

  test("a server that says nothing any more is given up after a while, and found again", async () => {
    const watcher = new Watcher(store, "");
    await watcher.resync();
    server.kill("SIGSTOP");
    const [reading, committing] = [store.read({ prefix: "" }), store.commit({ then: [put("x")] })];
    await Promise.all([
      expect(reading).rejects.toMatchObject({ code: "unavailable", applied: "no" }),
      expect(committing).rejects.toMatchObject({ code: "unknown-outcome", applied: "maybe" }),
    ]);
    server.kill("SIGCONT");
    await store.commit({ then: [put("y")] });
    await watcher.until((state) => state.has("y"));
  });

  test("a watch leaves a server that fell silent, together with all else", async () => {
    const endpoints = [proxy.port, server.port].map((port) => `127.0.0.1:${port}`);
    const moving = await openEtcdStore({ endpoints });
    const watcher = new Watcher(moving, "");
    await watcher.resync();
    proxy.hold();
    await moving.commit({ then: [put("x")] }).catch(() => undefined);
    await moving.commit({ then: [put("y")] });
    await watcher.until((state) => state.has("y"));
    watcher.assertSame(await moving.read({ prefix: "" }));
    await moving.close();
  });

  test("a commit that cannot be sent is surely not made", async () => {
    await proxy.refuse();
    // What is sent before it is known that the connection has ended may have arrived.
    await sleep(200);
    const unavailable = { code: "unavailable", applied: "no" };
    await Promise.all([
      expect(store.commit({ then: [put("x")] })).rejects.toMatchObject(unavailable),
      expect(store.watch("").next()).rejects.toMatchObject(unavailable),
      expect(store.openSession({ ttlMs: 10_000 })).rejects.toMatchObject(unavailable),
    ]);
  });

  test("a client is closed although its server is dead, and keeps no process alive", async () => {
    await store.openSession({ ttlMs: 60_000 });
    const watching = store.watch("", { from: 0n }).next();
    await proxy.refuse();
    await Promise.all([store.close(), expect(watching).rejects.toMatchObject({ code: "closed" })]);
  });

  test("a process that has a session and a watch ends by itself when its client is closed", async () => {
    const script = fileURLToPath(new URL("short-life.ts", import.meta.url));
    const loader = new URL("../../scripts/typescript.mjs", import.meta.url).href;
    const args = ["--import", loader, script, `127.0.0.1:${proxy.port}`];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    server.kill("SIGSTOP");
    expect((await once(child, "exit"))[0]).toBe(0);
    server.kill("SIGCONT");
  });
});

function next(entry: Entry | undefined) {
  const now = entry ? Number(Buffer.from(entry.value).toString()) : 0;
  const unchanged = entry
    ? ({ kind: "modified", key: "counter", revision: entry.modified } as const)
    : ({ kind: "absent", key: "counter" } as const);
  return { when: [unchanged], then: [put("counter", String(now + 1))] };
}
