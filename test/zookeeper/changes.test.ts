import { setTimeout as sleep } from "node:timers/promises";
import type { Change, Query, Store, Write } from "lockstep/store";
import { openZookeeperStore } from "lockstep/zookeeper";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Snapshots } from "../../src/engines/zookeeper/snapshots.js";
import { planBySight } from "../../src/engines/zookeeper/change-plan.js";
import { Committer } from "../../src/engines/zookeeper/committer.js";
import { Layout } from "../../src/engines/zookeeper/layout.js";
import { describeOn } from "../rig/available.js";
import { startZookeeper } from "../rig/zookeeper.js";
import type { RunningServer } from "../rig/running-server.js";
import { bareClient, type BareClient } from "./bare-client.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};
const remove = (key: string): Write => ({ kind: "delete", key });

describeOn("zookeeper", "a change on ZooKeeper", () => {
  let server: RunningServer;
  let bare: BareClient;
  let store: Store;
  let layout: Layout;
  let namespaces = 0;

  beforeAll(async () => {
    server = await startZookeeper({ properties: { "znode.container.checkIntervalMs": "200" } });
    bare = bareClient(server.port);
  }, 60_000);
  afterAll(async () => {
    await bare.link.close();
    await server.stop();
  });
  beforeEach(async ({ onTestFinished }) => {
    const namespace = `test/${++namespaces}`;
    layout = new Layout(namespace);
    store = await openZookeeperStore({ endpoints: [`127.0.0.1:${server.port}`], namespace });
    onTestFinished(() => store.close());
  });

  /**
   * What comes of a change when something else is done between the look that it was planned by and the write.
   */
  async function afterTheLook(change: Change, meanwhile: () => Promise<unknown>) {
    const access = { scheme: "world", id: "anyone" } as const;
    const committer = new Committer(layout, access, new Snapshots(layout));
    const sight = await committer.look(await bare.link.ready(), change);
    const plan = planBySight(change, sight, layout);
    await meanwhile();
    return bare.write(...plan);
  }

  test("sees that a key was made again in between, though its version is the same", async () => {
    const { snapshot } = await store.commit({ then: [put("a", "1")], read: { key: "a" } });
    const { created, modified } = snapshot.entries[0]!;
    const again = async () => {
      await store.commit({ then: [remove("a")] });
      await store.commit({ then: [put("a", "2")] });
    };
    for (const condition of [
      { kind: "created", key: "a", revision: created },
      { kind: "modified", key: "a", revision: modified },
    ] as const) {
      const change: Change = { when: [condition], then: [put("b")] };
      // Whoever looks again sees another key; but the plan that was made before must not hold.
      expect(await afterTheLook(change, () => Promise.resolve())).toBe(undefined);
      expect(await afterTheLook(change, again)).toBeLessThan(0);
    }
  });

  test.each<[string, Change, Write[]]>([
    ["an absent key was made", { when: [{ kind: "absent", key: "x" }], then: [put("b")] }, [put("x")]],
    ["a key to delete, which was not there, was made", { then: [remove("x"), put("b")] }, [put("x")]],
    ["a key to make was made", { then: [put("x"), put("b")] }, [put("x")]],
    ["a key to write was deleted", { then: [put("a"), put("b")] }, [remove("a")]],
    ["a key to delete was deleted", { then: [remove("a"), put("b")] }, [remove("a")]],
  ])("sees that %s in between", async (_, change, meanwhile) => {
    await store.commit({ then: [put("a"), put("b")] });
    const code = await afterTheLook(change, () => store.commit({ then: meanwhile }));
    expect(code).toBeLessThan(0);
  });

  test("sees that a key went over to a session in between", async () => {
    const session = await store.openSession({ ttlMs: 5000 });
    await store.commit({ then: [put("a")] });
    const binding = () => store.commit({ then: [put("a", "", session.id)] });
    expect(await afterTheLook({ then: [put("a", "unbound")] }, binding)).toBeLessThan(0);
  });

  test("or a read is answered after a write of its own, so by the word of the quorum", async () => {
    await store.commit({ then: [put("a")] });
    const revisionOf = async (query: Query) => (await store.read(query)).revision;
    const first = await revisionOf({ key: "a" });
    expect(await revisionOf({ key: "a" })).toBeGreaterThan(first);
    // Whoever knows how new is new enough is answered by the server alone.
    const last = await revisionOf({ prefix: "" });
    expect(await revisionOf({ key: "a", atLeast: last })).toBe(last);
    const refused = await store.commit({ when: [{ kind: "absent", key: "a" }], then: [] });
    expect(refused.ok).toBe(false);
    expect(refused.snapshot.revision).toBeGreaterThan(last);
  });

  test("leaves nothing of a million names: empty directories are removed, and made again", async () => {
    const directory = layout.directoryOf("lock/a/");
    await store.commit({ then: [put("lock/a/1")] });
    await store.commit({ then: [remove("lock/a/1")] });
    const check = { kind: "check", path: directory, version: -1 } as const;
    await expect.poll(() => bare.write(check), { timeout: 10_000 }).toBe(-101);
    await store.commit({ when: [{ kind: "absent", key: "lock/a/2" }], then: [put("lock/a/2")] });
    expect((await store.read({ prefix: "lock/" })).entries.map(({ key }) => key)).toEqual(["lock/a/2"]);
  });

  test("is seen whole, though it moves keys to where nobody has been", async () => {
    let place = "p/0/0";
    await store.commit({ then: [put(place)] });
    let isMoving = true as boolean;
    const reading = [0, 1, 2].map(async () => {
      while (isMoving) {
        const { entries } = await store.read({ prefix: "p" });
        expect(entries.length).toBe(1);
        await sleep(0);
      }
    });
    for (let i = 1; i < 150; i++) {
      const next = `p/${i % 7}/${i}`;
      await store.commit({ when: [{ kind: "absent", key: next }], then: [put(next), remove(place)] });
      place = next;
    }
    isMoving = false;
    await Promise.all(reading);
  });

  test("may be about many keys: they are read in several requests", async () => {
    const keys = Array.from({ length: 1200 }, (_, i) => `many/${"x".repeat(800)}/${i}`);
    for (let i = 0; i < keys.length; i += 100) {
      await store.commit({ then: keys.slice(i, i + 100).map((key) => put(key, "v")) });
    }
    const { entries } = await store.read({ prefix: "many/" });
    expect(entries.map(({ key }) => key)).toEqual([...keys].sort());
  });

  test("that is too long for the server is refused before it is sent", async () => {
    const value = Buffer.alloc(700_000);
    const then = ["a", "b"].map((key): Write => ({ kind: "put", key, value }));
    await expect(store.commit({ then })).rejects.toMatchObject({ code: "bad-input", applied: "no" });
    expect((await store.read({ prefix: "" })).entries).toEqual([]);
  });

  test("keeps the birth of a key that goes from hand to hand, however often", async () => {
    const [first, second] = [
      await store.openSession({ ttlMs: 5000 }),
      await store.openSession({ ttlMs: 5000 }),
    ];
    const { snapshot } = await store.commit({ then: [put("a")], read: { key: "a" } });
    const born = snapshot.entries[0]!.created;
    for (const session of [first.id, second.id, undefined, first.id, first.id]) {
      await store.commit({
        when: [{ kind: "created", key: "a", revision: born }],
        then: [put("a", "v", session)],
      });
      const [entry] = (await store.read({ key: "a" })).entries;
      expect(entry).toMatchObject({ created: born, session });
    }
  });
});
