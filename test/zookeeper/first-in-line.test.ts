import { SeededRandom } from "lockstep/base";
import type { Entry, Query, Store, Write } from "lockstep/store";
import { openZookeeperStore } from "lockstep/zookeeper";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Wire } from "../../src/engines/zookeeper/client/wire.js";
import { Layout } from "../../src/engines/zookeeper/layout.js";
import { Snapshots } from "../../src/engines/zookeeper/snapshots.js";
import { describeOn } from "../rig/available.js";
import type { RunningServer } from "../rig/running-server.js";
import { startZookeeper } from "../rig/zookeeper.js";
import { bareClient, type BareClient } from "./bare-client.js";

const put = (key: string, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(key), session };
};
const remove = (key: string): Write => ({ kind: "delete", key });
const inOrder = { prefix: "q/", order: "created" } as const;
const ofFirst = { ...inOrder, limit: 1 } as const;

describeOn("zookeeper", "who is first in line on ZooKeeper", () => {
  let server: RunningServer;
  let bare: BareClient;
  let store: Store;
  let other: Store;
  let snapshots: Snapshots;
  /** Counts what is asked on it. */
  let wire: Wire;
  let asked = 0;
  let namespaces = 0;

  beforeAll(async () => {
    server = await startZookeeper();
    bare = bareClient(server.port);
  }, 60_000);
  afterAll(async () => {
    await bare.link.close();
    await server.stop();
  });
  beforeEach(async ({ onTestFinished }) => {
    const namespace = `test/${++namespaces}`;
    const open = () => openZookeeperStore({ endpoints: [`127.0.0.1:${server.port}`], namespace });
    [store, other] = [await open(), await open()];
    onTestFinished(async () => {
      await Promise.all([store.close(), other.close()]);
    });
    snapshots = new Snapshots(new Layout(namespace));
    const real = await bare.link.ready();
    const request: Wire["request"] = (...question) => {
      asked++;
      return real.request(...question);
    };
    wire = { request } as unknown as Wire;
    for (const key of ["q/a", "q/b", "q/c"]) await store.commit({ then: [put(key)] });
    await snapshots.read(wire, inOrder);
    asked = 0;
  });

  const firstOf = ({ entries }: { readonly entries: readonly Entry[] }) => entries[0]?.key;

  test("is seen together with the end of a key, whoever came meanwhile", async () => {
    await store.commit({ then: [remove("q/b"), put("q/0")] });
    const { revision } = await store.commit({ then: [remove("q/a"), put("q/1")] }).then(made);
    const seen = await snapshots.readEnd(wire, "q/a");
    expect(seen.entries).toEqual([]);
    const look: Query = { ...ofFirst, atLeast: revision };
    const first = snapshots.atHand(look);
    expect(first).toMatchObject({ revision: seen.revision, entries: [{ key: "q/c" }] });
    expect(asked).toBe(1);
    // It is told once, and only to those whom it will do.
    expect(snapshots.atHand(look)).toBe(undefined);
    for (const query of [inOrder, ofFirst, { ...ofFirst, atLeast: seen.revision + 1n }]) {
      await snapshots.readEnd(wire, "q/a");
      expect(snapshots.atHand(query)).toBe(undefined);
      snapshots.atHand(ofFirst);
    }
  });

  test("is not told where the key is still there", async () => {
    const { entries, revision } = await snapshots.readEnd(wire, "q/a");
    expect(entries).toMatchObject([{ key: "q/a" }]);
    expect(snapshots.atHand({ ...ofFirst, atLeast: revision })).toBe(undefined);
  });

  test("is found by a listing where none is left of those who were known", async () => {
    await store.commit({ then: [remove("q/a"), remove("q/b"), remove("q/c"), put("q/0")] });
    expect(firstOf(await snapshots.read(wire, ofFirst))).toBe("q/0");
    expect(asked).toBeGreaterThan(1);
  });

  test("is not one that was deleted and made again, nor is that one forgotten", async () => {
    const { revision } = await store.commit({ then: [remove("q/a")] }).then(made);
    await store.commit({ then: [put("q/a")] });
    expect(firstOf(await snapshots.read(wire, ofFirst))).toBe("q/b");
    await store.commit({ then: [remove("q/b"), remove("q/c"), put("q/d")] });
    await snapshots.read(wire, inOrder);
    // Who deleted the first of that name may hear of it only now.
    snapshots.forget(["q/a"], revision);
    expect(firstOf(await snapshots.read(wire, ofFirst))).toBe("q/a");
  });

  test("is the same by what is remembered as by a listing, whatever happens to the keys", async () => {
    const random = new SeededRandom(7);
    const session = await store.openSession({ ttlMs: 5000 });
    for (let step = 0; step < 300; step++) {
      const key = `q/${"abcdef"[random.below(6)]}`;
      const [writer, owner] = random.chance(0.5) ? [store, session.id] : [other, undefined];
      await writer.commit({ then: [random.chance(0.7) ? put(key, owner) : remove(key)] });
      if (random.chance(0.1)) await store.read(inOrder);
      const [first, all] = [await store.read(ofFirst), await other.read(inOrder)];
      expect(first.entries).toEqual(all.entries.slice(0, 1));
    }
  });

  test("and a key that is watched is told of again and again, though its end is told first", async () => {
    const watch = store.watch("q/a", { exact: true });
    const told = async () => {
      const { value } = await watch.next();
      return value?.kind === "resync" ? value.snapshot.entries.map(({ modified }) => modified) : undefined;
    };
    expect(await told()).toHaveLength(1);
    for (let round = 0; round < 10; round++) {
      await other.commit({ then: [remove("q/a")] });
      expect(await told()).toEqual([]);
      for (let i = 0; i < 2; i++) {
        const { revision } = await other.commit({ then: [put("q/a")] }).then(made);
        expect(await told()).toEqual([revision]);
      }
    }
  });
});

function made(verdict: Awaited<ReturnType<Store["commit"]>>) {
  if (!verdict.ok) throw new Error("refused");
  return verdict;
}
