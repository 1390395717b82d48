import { readdir } from "node:fs/promises";
import { openLmdbStore } from "lockstep/lmdb";
import { expect, test } from "vitest";
import { Child } from "./child.js";
import { temporaryDirectory } from "./directories.js";

// Without the gate, one opening in some ten thousand undoes a commit; LOCKSTEP_STRESS_MS gives it the time.
const forMs = Number(process.env["LOCKSTEP_STRESS_MS"] ?? 4000);

test(
  "what is committed while others open the store stays committed",
  async () => {
    const directory = await temporaryDirectory();
    const store = await openLmdbStore(directory);
    const session = await store.openSession({ ttlMs: 60_000 });
    const openers = [1, 2, 3].map(() => new Child("./opener-loop.ts", [directory]));
    await Promise.all(openers.map((opener) => opener.next()));
    let last = 0n;
    for (const until = Date.now() + forMs; Date.now() < until;) {
      const value = Buffer.from(String(last));
      const verdict = await store.commit({ then: [{ kind: "put", key: "x", value, session: session.id }] });
      if (!verdict.ok) expect.unreachable("the session is gone");
      expect(verdict.revision).toBe(last + 1n);
      last = verdict.revision;
    }
    await Promise.all(openers.map((opener) => opener.kill()));
    await store.close();
  },
  forMs + 30_000,
);

test("the journals of many short-lived writers become one, and lose nothing", async () => {
  const directory = await temporaryDirectory();
  const put = (i: number) => ({ kind: "put" as const, key: `key ${i}`, value: Buffer.from(String(i)) });
  for (let i = 0; i < 150; i++) {
    const store = await openLmdbStore(directory);
    await store.commit({
      then: [put(i), ...(i % 2 ? [{ kind: "delete" as const, key: `key ${i - 1}` }] : [])],
    });
    await store.close();
  }
  const journals = (await readdir(directory)).filter((name) => name.endsWith(".journal"));
  expect(journals.length).toBeLessThan(80);
  const store = await openLmdbStore(directory, { boot: "f".repeat(32) });
  const { entries } = await store.read({ prefix: "key " });
  expect(entries.map(({ key }) => Number(key.slice(4))).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 75 }, (_, i) => 2 * i + 1),
  );
  await store.close();
});

test("a key that is written in the very turn in which its watch begins is told at once", async () => {
  const directory = await temporaryDirectory();
  const store = await openLmdbStore(directory);
  const { snapshot } = await store.commit({
    then: [{ kind: "put", key: "x", value: Buffer.from("1") }],
    read: { key: "x" },
  });
  const watch = store.watch("x", { exact: true, from: snapshot.revision });
  const told = watch.next();
  const begun = performance.now();
  void store.commit({ then: [{ kind: "delete", key: "x" }] });
  expect((await told).value).toMatchObject({ kind: "resync", snapshot: { entries: [] } });
  // The safety net looks only after seconds.
  expect(performance.now() - begun).toBeLessThan(800);
  await store.close();
});
