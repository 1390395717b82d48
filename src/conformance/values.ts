import assert from "node:assert/strict";
import type { Check } from "./fixture.js";
import { bytes, entryOf, failsWith, made, put, textOf } from "./shorthand.js";
import { Watcher } from "./watcher.js";

export function values(check: Check): void {
  check("come back as they were, empty or of any bytes", async ({ store, other }) => {
    const samples = { empty: new Uint8Array(), zero: new Uint8Array(1), all: allBytes() };
    await made(store, { then: Object.entries(samples).map(([key, value]) => put(key, value)) });
    for (const [key, value] of Object.entries(samples)) {
      const entry = await entryOf(other, key);
      assert.ok(entry?.value instanceof Uint8Array);
      assert.deepEqual([...entry.value], [...value]);
    }
  });

  check(
    "may be as long as is promised, up to 1 MiB at least tried, and no longer",
    async ({ store, other }) => {
      const most = store.guarantees.maxValueBytes;
      const long = new Uint8Array(Math.min(most, 1024 * 1024));
      for (let i = 0; i < long.length; i++) long[i] = (i * 31) & 255;
      await made(store, { then: [put("long", long)] });
      const entry = await entryOf(other, "long");
      assert.equal(entry?.value.length, long.length);
      assert.equal(Buffer.compare(entry.value, long), 0);
      if (most > 64 * 1024 * 1024) return;
      await failsWith("bad-input", () => store.commit({ then: [put("longer", new Uint8Array(most + 1))] }));
      assert.equal(await entryOf(store, "longer"), undefined);
    },
  );

  check("may be a window into a larger array", async ({ store, other }) => {
    await made(store, { then: [put("a", bytes("-window-").subarray(1, 7))] });
    assert.equal(textOf(await entryOf(other, "a")), "window");
  });

  check("stay as they are when the caller writes to its own array afterwards", async ({ store, other }) => {
    const watcher = new Watcher(other, "");
    await watcher.resync();
    // A Buffer's own `slice` copies nothing.
    for (const mine of [bytes("first"), Buffer.from("first")]) {
      const { snapshot } = await made(store, { then: [put("a", mine)], read: { key: "a" } });
      mine.fill(0);
      assert.equal(textOf(snapshot.entries[0]), "first");
      assert.equal(textOf(await entryOf(store, "a")), "first");
      assert.equal(textOf(await entryOf(other, "a")), "first");
      await watcher.next();
      await watcher.until((state) => textOf(state.get("a")) === "first");
    }
  });

  check("stay as they are when the caller writes to what it was given", async ({ store, other }) => {
    const watchers = [new Watcher(store, ""), new Watcher(other, ""), new Watcher(other, "")] as const;
    for (const watcher of watchers) await watcher.resync();
    const { snapshot } = await made(store, { then: [put("a", "first")], read: { prefix: "" } });
    snapshot.entries[0]?.value.fill(0);
    (await entryOf(store, "a"))?.value.fill(0);
    (await entryOf(other, "a"))?.value.fill(0);
    for (const watcher of watchers) {
      await watcher.until((state) => {
        const entry = state.get("a");
        if (entry) assert.equal(textOf(entry), "first");
        entry?.value.fill(0);
        return entry !== undefined;
      });
    }
    const late = await new Watcher(store, "").resync();
    late.snapshot.entries[0]?.value.fill(0);
    for (const client of [store, other]) assert.equal(textOf(await entryOf(client, "a")), "first");
  });
}

function allBytes(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => i);
}
