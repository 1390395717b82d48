// The store of a simulated world when another machine takes over.
import { noHazards, simulate, type SimulatedProcess, type World } from "lockstep/simulation";
import type { Store } from "lockstep/store";
import { describe, expect, test } from "vitest";

const text = (word: string) => new TextEncoder().encode(word);
const put = (key: string, word = key, session?: string) =>
  ({ then: [{ kind: "put", key, value: text(word), session }] }) as const;

const lossy = { ...noHazards, failoverEveryMs: 5000, failoverLosesCommits: 20 };

/** A process that does nothing by itself, and a store of it. */
async function hire(world: World): Promise<[SimulatedProcess, Store]> {
  world.spawn("a", () => undefined);
  await world.sleep(1);
  const process = world.process("a")!;
  return [process, process.store()];
}

describe("a store that fails over", () => {
  test("is away meanwhile, and keeps what it acknowledged, where it says so", async () => {
    const hazards = { ...noHazards, failoverEveryMs: 5000, failoverMs: 1000 };
    const { tally, result } = await simulate({ seed: 1, hazards }, async (world) => {
      const [, store] = await hire(world);
      expect(store.guarantees).toMatchObject({ fence: "monotonic", failoverLosesCommits: false });
      let [last, refused] = [0n, 0];
      for (let i = 0; i < 300; i++) {
        const done = await store.commit(put("x")).catch(() => refused++);
        if (typeof done !== "number" && done.ok) {
          expect(done.revision).toBeGreaterThan(last);
          last = done.revision;
        }
        expect(world.look({ key: "x" }).entries[0]?.modified ?? 0n).toBeGreaterThanOrEqual(last);
        await world.sleep(100);
      }
      return refused;
    });
    expect(tally["failover"]).toBeGreaterThan(3);
    expect(tally["lost commit"]).toBeUndefined();
    expect(result).toBeGreaterThan(3);
  });

  test("is reached by no late copy while it is away", async () => {
    const hazards = { loseReply: 1, duplicate: 1, failoverEveryMs: 20, failoverMs: 1e9 };
    const { tally } = await simulate({ seed: 1, hazards: { ...noHazards, ...hazards } }, async (world) => {
      const [, store] = await hire(world);
      await Promise.allSettled(["x", "y", "z"].map((key) => store.commit(put(key))));
      expect(world.look({ prefix: "" }).entries).toHaveLength(3);
      await world.sleep(20_000);
    });
    expect(tally).toMatchObject({ failover: 1, "lost reply": 3 });
    expect(tally["late copy"]).toBeUndefined();
  });

  test("loses the last commits, where it says so, and is again as it was before them", async () => {
    const { tally } = await simulate({ seed: 3, hazards: lossy }, async (world) => {
      const [, store] = await hire(world);
      expect(store.guarantees).toMatchObject({ fence: "regresses-on-failover", failoverLosesCommits: true });
      const written = new Map<bigint, string>();
      let [fell, last] = [false, 0n];
      for (let i = 0; i < 300; i++) {
        const done = await store.commit(put("x", `${i}`)).catch(() => undefined);
        if (done?.ok) {
          fell ||= done.revision <= last;
          last = done.revision;
          written.set(last, `${i}`);
        }
        const { revision, entries } = world.look({ key: "x" });
        for (const { modified, value } of entries) {
          expect(modified).toBe(revision);
          if (i > 0 && done) expect(new TextDecoder().decode(value)).toBe(written.get(modified));
        }
        await world.sleep(100);
      }
      expect(fell).toBe(true);
    });
    expect(tally["lost commit"]).toBeGreaterThan(3);
  });

  test("gives a session back whose end it lost, and ends it when its time is up", async () => {
    const { result } = await simulate({ seed: 1, hazards: lossy }, async (world) => {
      const [, store] = await hire(world);
      const ended: string[] = [];
      let revived = 0;
      for (let i = 0; i < 300; i++) {
        try {
          const session = await store.openSession({ ttlMs: 10_000 });
          await store.commit(put(`${i}`, "", session.id));
          await session.end();
          ended.push(session.id);
        } catch {
          await world.sleep(100);
        }
        const { sessions = [] } = world.look({ prefix: "", sessions: true });
        if (sessions.some(({ id }) => ended.includes(id))) revived++;
      }
      world.heal();
      world.kill("a");
      await world.sleep(12_000);
      expect(world.look({ prefix: "", sessions: true })).toMatchObject({ entries: [], sessions: [] });
      return revived;
    });
    expect(result).toBeGreaterThan(0);
  });

  test("begins a watch anew that would go on from what it lost", async () => {
    const hazards = { ...lossy, failoverLosesCommits: 5 };
    const { result } = await simulate({ seed: 1, hazards }, async (world) => {
      const [process, store] = await hire(world);
      const seen = new Set<string>();
      let [from, resyncs]: [bigint | undefined, number] = [undefined, 0];
      const follow = async () => {
        for (;;) {
          try {
            for await (const told of store.watch("", { from })) {
              if (told.kind === "resync") {
                resyncs++;
                seen.clear();
                for (const { key } of told.snapshot.entries) seen.add(key);
                from = told.snapshot.revision;
              } else {
                for (const { key } of told.events) seen.add(key);
                from = told.revision;
              }
            }
          } catch {
            await process.sleep(100);
          }
        }
      };
      void follow();
      // The revisions that were lost are given again before the watch goes on.
      for (let i = 0; i < 500; i++) {
        await store.commit(put(`${i}`)).catch(() => undefined);
        await world.sleep(100);
        // Who is told of the latest was told of all that is there, and of nothing that is not.
        const there = new Set(world.look({ prefix: "" }).entries.map(({ key }) => key));
        if (there.has(`${i}`) && seen.has(`${i}`)) expect(seen).toEqual(there);
      }
      expect(seen.size).toBeGreaterThan(100);
      return resyncs;
    });
    expect(result).toBeGreaterThan(3);
  });
});
