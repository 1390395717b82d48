// What locks are worth on a store whose failovers forget commits that it acknowledged.
import { Lockstep, type Held } from "lockstep";
import { noHazards, simulate } from "lockstep/simulation";
import type { Store } from "lockstep/store";
import { expect, test } from "vitest";

const ttlMs = 2000;
const names = ["a", "b", "c"];

const hazards = { ...noHazards, failoverEveryMs: 5000, failoverLosesCommits: 5 };

/** The same store, but it promises what it does not keep. */
function boastful(store: Store): Store {
  return {
    guarantees: { ...store.guarantees, fence: "monotonic" },
    commit: (change) => store.commit(change),
    read: (query) => store.read(query),
    watch: (prefix, options) => store.watch(prefix, options),
    openSession: (options) => store.openSession(options),
    close: () => store.close(),
  };
}

test("a lock is refused, since its tokens might fall", async () => {
  await simulate({ seed: 1, hazards }, async (world) => {
    world.spawn("a", () => undefined);
    await world.sleep(1);
    const client = new Lockstep(world.process("a")!.store());
    expect(() => client.lock("x")).toThrow(/needs fencing tokens that rise across a failover/);
  });
});

// On a store that hides what it is, this is what the refusal keeps people from.
test("a lock may have two holders, and a lower token; but not once everybody has begun anew", async () => {
  const { result, tally } = await simulate({ seed: 1, hazards }, async (world) => {
    const held = new Map<string, Held>();
    let [grants, together, fallen, last] = [0, 0, 0, 0n];
    const results = () => ({ grants, together, fallen });
    for (const name of names) {
      world.spawn(name, async (process) => {
        const client = new Lockstep(boastful(process.store()), { clock: process.clock, ttlMs });
        for (;;) {
          await process.sleep(process.random.below(5000));
          try {
            const mine = await client.lock("x").acquire({ timeoutMs: 5000 });
            grants++;
            if ([...held.values()].some((other) => other.isHeld)) together++;
            if (mine.token <= last) fallen++;
            last = mine.token;
            held.set(name, mine);
            await process.sleep(1000);
            await mine.release();
          } catch {
            // Out of reach, too late or lost: another time.
          }
        }
      });
    }
    await world.sleep(3_600_000);
    const forgetful = results();
    world.heal();
    for (const name of names) world.kill(name);
    await world.sleep(2 * ttlMs);
    held.clear();
    [grants, together, fallen, last] = [0, 0, 0, 0n];
    for (const name of names) world.start(name);
    await world.sleep(600_000);
    return { forgetful, anew: results() };
  });
  expect(tally["lost commit"]).toBeGreaterThan(10);
  expect(result.forgetful.together).toBeGreaterThan(0);
  expect(result.forgetful.fallen).toBeGreaterThan(0);
  expect(result.anew).toMatchObject({ together: 0, fallen: 0 });
  expect(result.anew.grants).toBeGreaterThan(300);
});
