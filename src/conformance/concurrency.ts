import assert from "node:assert/strict";
import type { Store } from "../store/store.js";
import type { Check } from "./fixture.js";
import { absent, entryOf, keysOf, made, modified, put, textOf, ttlNear } from "./shorthand.js";

const clientCount = 20;

export function concurrency(check: Check): void {
  check("loses no increment of 20 clients that count on one key", async ({ store, connect }) => {
    const rounds = 50;
    await made(store, { then: [put("counter", "0")] });
    const clients = await connectMany(connect);
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < rounds; i++) await increment(client, "counter");
      }),
    );
    assert.equal(textOf(await entryOf(store, "counter")), String(clientCount * rounds));
  });

  check("lets exactly one of many win a key that is absent", async ({ store, connect }) => {
    const clients = await connectMany(connect);
    for (let round = 0; round < 5; round++) {
      const key = `prize ${round}`;
      const verdicts = await Promise.all(
        clients.map((client, i) =>
          client.commit({ when: [absent(key)], then: [put(key, String(i))], read: { key } }),
        ),
      );
      const winners = verdicts.flatMap(({ ok }, i) => (ok ? [String(i)] : []));
      assert.equal(winners.length, 1, `${winners.length} won ${key}`);
      assert.deepEqual([textOf(await entryOf(store, key))], winners);
      for (const { snapshot } of verdicts) assert.deepEqual(snapshot.entries.map(textOf), winners);
    }
  });

  check("gives every commit a revision of its own", async ({ store, connect }) => {
    const clients = await connectMany(connect);
    const revisions = await Promise.all(
      clients.flatMap((client, i) =>
        [1, 2, 3, 4, 5].map(async (turn) => {
          const key = `key ${i} ${turn}`;
          const { revision } = await made(client, { then: [put(key)] });
          assert.equal((await entryOf(store, key))?.created, revision);
          return revision;
        }),
      ),
    );
    assert.equal(new Set(revisions).size, revisions.length);
  });

  check(
    "gives a commit that began after another was acknowledged the higher revision",
    async ({ connect }) => {
      const clients = await connectMany(connect);
      const acknowledged = { revision: -1n };
      await Promise.all(
        clients.map(async (client, i) => {
          for (let turn = 0; turn < 10; turn++) {
            const before = acknowledged.revision;
            const { revision } = await made(client, { then: [put(`key ${i}`, String(turn))] });
            assert.ok(revision > before, `${revision} came after ${before}`);
            if (revision > acknowledged.revision) acknowledged.revision = revision;
          }
        }),
      );
    },
  );

  check("shows every client what was acknowledged before it read, if it promises so", async (setting) => {
    const { store, connect } = setting;
    if (!store.guarantees.linearizableReads) return;
    const clients = await connectMany(connect);
    for (let turn = 0; turn < 20; turn++) {
      const writer = clients[turn % clients.length] as Store;
      const { revision } = await made(writer, { then: [put("news", String(turn)), put(`news ${turn}`)] });
      await Promise.all(
        clients.map(async (client) => {
          assert.equal(textOf(await entryOf(client, "news")), String(turn));
          const snapshot = await client.read({ prefix: "news" });
          assert.equal(snapshot.entries.length, turn + 2);
          assert.ok(snapshot.revision >= revision);
        }),
      );
    }
  });

  check("leaves no key behind when a session ends while keys are being bound to it", async (setting) => {
    const { store, other } = setting;
    const clients = store.guarantees.bindings === "any" ? [store, other] : [store];
    for (let round = 0; round < 20; round++) {
      const session = await store.openSession({ ttlMs: ttlNear(store, 10_000) });
      const binding = [0, 1, 2, 3].map((i) =>
        clients[i % clients.length]?.commit({ then: [put(`bound/${i}`, "", session.id)] }),
      );
      await Promise.all([...binding, session.end()]);
      assert.deepEqual(await keysOf(other, { prefix: "bound/" }), []);
    }
  });
}

function connectMany(connect: () => Promise<Store>): Promise<Store[]> {
  return Promise.all(Array.from({ length: clientCount }, () => connect()));
}

/** As every optimistic writer does: what refused one attempt is what the next one builds on. */
async function increment(store: Store, key: string): Promise<void> {
  let entry = await entryOf(store, key);
  for (;;) {
    assert.ok(entry);
    const verdict = await store.commit({
      when: [modified(key, entry.modified)],
      then: [put(key, String(Number(textOf(entry)) + 1))],
      read: { key },
    });
    if (verdict.ok) return;
    entry = verdict.snapshot.entries[0];
  }
}
