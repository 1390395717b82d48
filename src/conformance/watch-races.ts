import assert from "node:assert/strict";
import { SeededRandom } from "../base/random.js";
import type { Entry, Snapshot, Write } from "../store/change.js";
import type { Store } from "../store/store.js";
import type { Check } from "./fixture.js";
import { made, put, remove, textOf, ttlNear } from "./shorthand.js";
import { Watcher } from "./watcher.js";

export function watchRaces(check: Check): void {
  check("add up to the final state, wherever among racing commits they begin", async (setting) => {
    const { store, other, connect, sleep } = setting;
    const writers = [store, other, await connect(), await connect()];
    const watchers: Watcher[] = [];
    let writing = true as boolean;
    const work = Promise.all(writers.map((writer, i) => writeAtRandom(writer, i))).then(() => {
      writing = false;
    });
    const reader = await connect();
    // Bounded, for the sake of engines that are slow to watch.
    while (writing && watchers.length < 60) {
      const prefix = ["", "w/", "w/1"][watchers.length % 3] as string;
      if (watchers.length % 2 === 0) watchers.push(new Watcher(reader, prefix));
      else watchers.push(Watcher.after(reader, prefix, await reader.read({ prefix })));
      await sleep(0);
    }
    await work;
    await made(store, { then: [put("w/1 end")] });
    await Promise.all(
      watchers.map(async (watcher) => {
        await watcher.until((state) => state.has("w/1 end"));
        watcher.assertSame(await store.read({ prefix: watcher.prefix }));
        await watcher.stop();
      }),
    );
  });

  check("show no state that never was", async ({ store, other, connect }) => {
    // Money moves between accounts; whoever adds up a state that he was told finds as much as ever.
    const accounts = ["m/0", "m/1", "m/2", "m/3"];
    await made(store, { then: accounts.map((key) => put(key, "25")) });
    const watchers = [new Watcher(store, "m/"), new Watcher(other, "m/")];
    const movers = [store, other, await connect()].map(async (client, i) => {
      const random = new SeededRandom(i);
      for (let turn = 0; turn < 50; turn++) await move(client, accounts, random);
    });
    const following = watchers.map((watcher) =>
      watcher.until(
        (state) => state.has("m/end"),
        (state) => {
          const money = accounts.map((key) => Number(textOf(state.get(key))));
          assert.equal(
            money.reduce((sum, amount) => sum + amount, 0),
            100,
          );
        },
      ),
    );
    await Promise.all(movers);
    await made(store, { then: [put("m/end", "0")] });
    await Promise.all(following);
  });

  check("miss nothing between a snapshot and the watch that goes on from it", async ({ store, other }) => {
    for (let round = 0; round < 30; round++) {
      const key = `w/${round}`;
      const racing = Promise.all([0, 1, 2].map((i) => made(store, { then: [put(key, String(i))] })));
      const snapshot = await other.read({ prefix: "w/" });
      const watcher = Watcher.after(other, "w/", snapshot);
      await racing;
      const end: Snapshot = (await made(store, { then: [put("w/end", key)], read: { prefix: "w/" } }))
        .snapshot;
      await watcher.until((state) => textOf(state.get("w/end")) === key);
      watcher.assertSame(end);
      await watcher.stop();
    }
  });
}

async function writeAtRandom(store: Store, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  for (let round = 0; round < 12; round++) {
    const session = await store.openSession({ ttlMs: ttlNear(store, 10_000) });
    for (let turn = 0; turn < 6; turn++) {
      const writes = new Map<string, Write>();
      for (let i = random.below(4); i >= 0; i--) {
        const key = `${random.chance(0.7) ? "w/" : "x/"}${random.below(20)}`;
        const value = `${seed} ${round} ${turn}`;
        const bound = random.chance(0.4) ? session.id : undefined;
        writes.set(key, random.chance(0.3) ? remove(key) : put(key, value, bound));
      }
      await made(store, { then: [...writes.values()] });
    }
    await session.end();
  }
}

/** Reads two accounts in one look and moves money from one to the other, unless somebody was faster. */
async function move(store: Store, accounts: readonly string[], random: SeededRandom): Promise<void> {
  const from = random.below(accounts.length);
  const to = (from + 1 + random.below(accounts.length - 1)) % accounts.length;
  const { entries } = await store.read({ prefix: "m/" });
  const [payer, payee] = [entries[from], entries[to]] as [Entry, Entry];
  const amount = random.below(Number(textOf(payer)) + 1);
  await store.commit({
    when: [payer, payee].map(({ key, modified }) => ({ kind: "modified", key, revision: modified })),
    then: [
      put(payer.key, String(Number(textOf(payer)) - amount)),
      put(payee.key, String(Number(textOf(payee)) + amount)),
    ],
  });
}
