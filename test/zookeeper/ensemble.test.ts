import type { Write } from "lockstep/store";
import { openZookeeperStore, type ZookeeperStore } from "lockstep/zookeeper";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Watcher } from "../../src/conformance/watcher.js";
import { describeOn } from "../rig/available.js";
import type { ServerCluster } from "../rig/cluster.js";
import { startZookeeperCluster } from "../rig/zookeeper-cluster.js";

const put = (key: string, value = key, session?: string): Write => {
  return { kind: "put", key, value: Buffer.from(value), session };
};

describeOn("zookeeper", "an ensemble of three ZooKeeper servers", () => {
  let cluster: ServerCluster;
  const stores: ZookeeperStore[] = [];

  const openAt = async (hosts: string) => {
    const store = await openZookeeperStore({ endpoints: hosts.split(",") });
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    cluster = await startZookeeperCluster();
  }, 60_000);
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await cluster.stop();
  }, 60_000);

  test("shows on each server what was acknowledged by another", async () => {
    const clients = await Promise.all(cluster.hosts.split(",").map(openAt));
    for (let i = 0; i < 30; i++) {
      const writer = clients[i % 3]!;
      const verdict = await writer.commit({ then: [put("a", String(i))] });
      for (const client of clients) {
        const { entries, revision } = await client.read({ key: "a" });
        expect(Buffer.from(entries[0]!.value).toString()).toBe(String(i));
        expect(revision >= verdict.snapshot.revision).toBe(true);
        const atLeast = verdict.snapshot.revision;
        expect((await client.read({ prefix: "", atLeast })).entries[0]?.modified).toBe(entries[0]?.modified);
        const condition = { kind: "modified", key: "a", revision: entries[0]!.modified } as const;
        expect((await client.commit({ when: [condition], then: [] })).ok).toBe(true);
        const stale = { kind: "absent", key: "a" } as const;
        expect((await client.commit({ when: [stale], then: [] })).ok).toBe(false);
      }
    }
  }, 60_000);

  test("gives each commit the revision of its own writes, on whichever server", async () => {
    const clients = await Promise.all(cluster.hosts.split(",").map(openAt));
    await Promise.all(
      clients.flatMap((client, i) =>
        Array.from({ length: 40 }, async (_, j) => {
          const key = `${i}/${j}`;
          const verdict = await client.commit({ then: [put(key)], read: { key } });
          expect(verdict).toMatchObject({ ok: true, revision: verdict.snapshot.entries[0]?.created });
        }),
      ),
    );
  }, 60_000);

  test("takes a session over when its server dies, with its keys and its watches", async () => {
    const store = await openAt(cluster.hosts);
    const watcher = new Watcher(store, "");
    await watcher.resync();
    const session = await store.openSession({ ttlMs: 8000 });
    const before = await store.commit({ then: [put("a", "", session.id)] });
    await cluster.killLeader();
    const after = await store.commit({ then: [put("b", "", session.id)], read: { prefix: "" } });
    expect(after.snapshot.entries.map(({ key }) => key)).toEqual(["a", "b"]);
    expect(after.snapshot.revision).toBeGreaterThan(before.snapshot.revision);
    expect(session.isValid()).toBe(true);
    await watcher.until((state) => state.has("b"));
  }, 60_000);
});
