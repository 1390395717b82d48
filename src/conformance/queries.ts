import assert from "node:assert/strict";
import { maxKeyBytes } from "../store/keys.js";
import type { Store } from "../store/store.js";
import type { Check } from "./fixture.js";
import { assertSameSnapshot, keysOf, made, put, remove, textOf, ttlNear } from "./shorthand.js";

/** Unlike in their order as UTF-16, as numbers, as words of a language and as patterns. */
const trickyKeys = [
  " ", "!", "%", "'", "*", "-1", "0", "1", "10", "1a", "2", "?", "A", "B", "Z", "[", "\\", "_", "__proto__",
  "a", "a ", "a!", "a%", "a*", "a-", "a/", "a//", "a/b", "a/b/c", "a0", "aa", "ab", "b", "constructor",
  "e\u0301", "z", "~", "\u0080", "\u00e9", "\u00ff", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff",
  "\ufffd", "\uffff", "\uffff/", "\u{10000}", "\u{1f512}", "\u{1f512}/a",
  "\u{10ffff}", "\u{10ffff}/\u{10ffff}",
]; // prettier-ignore

export function queries(check: Check): void {
  check("of one key give that key only", async ({ store }) => {
    await make(store, ["a", "a/", "a/b", "ab", "A"]);
    assert.deepEqual(await keysOf(store, { key: "a" }), ["a"]);
    assert.deepEqual(await keysOf(store, { key: "a/" }), ["a/"]);
    assert.deepEqual(await keysOf(store, { key: "b" }), []);
  });

  check("of an empty store give nothing", async ({ store }) => {
    const { revision, entries, sessions } = await store.read({ prefix: "" });
    assert.equal(typeof revision, "bigint");
    assert.deepEqual(entries, []);
    assert.equal(sessions, undefined);
  });

  check("give a prefix in the order of the UTF-8 bytes of the keys", async ({ store }) => {
    await make(store, shuffled(trickyKeys));
    const inOrder = [...trickyKeys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(await keysOf(store, { prefix: "" }), inOrder);
    assert.deepEqual(await keysOf(store, { prefix: "", order: "key" }), inOrder);
  });

  check("match a prefix literally, character by character", async ({ store }) => {
    await make(store, trickyKeys);
    const prefixes = [...trickyKeys, "a/b/", "a/b/c", "__", "con", "\u{10ffff}/", "nothing"];
    for (const prefix of prefixes) {
      const expected = trickyKeys.filter((key) => key.startsWith(prefix)).sort();
      assert.deepEqual((await keysOf(store, { prefix })).sort(), expected, JSON.stringify(prefix));
    }
  });

  check("keep a directory apart from its neighbours", async ({ store }) => {
    await make(store, ["a", "a.", "a/", "a/x", "a/x/y", "a0", "b/x"]);
    assert.deepEqual(await keysOf(store, { prefix: "a/" }), ["a/", "a/x", "a/x/y"]);
    assert.deepEqual(await keysOf(store, { prefix: "a/x" }), ["a/x", "a/x/y"]);
    assert.deepEqual(await keysOf(store, { prefix: "a" }), ["a", "a.", "a/", "a/x", "a/x/y", "a0"]);
  });

  check("give the longest keys", async ({ store }) => {
    const longest = ["x".repeat(maxKeyBytes), "é".repeat(maxKeyBytes / 2), "x".repeat(maxKeyBytes - 1)];
    await make(store, longest);
    for (const key of longest) assert.deepEqual(await keysOf(store, { key }), [key]);
    assert.deepEqual(await keysOf(store, { prefix: "xx" }), [longest[2], longest[0]]);
  });

  check("give the oldest first, and keys of one age by key", async ({ store }) => {
    await make(store, ["q/m"]);
    await made(store, { then: [put("q/z"), put("q/\u{1f512}"), put("q/\uffff"), put("q/a")] });
    await make(store, ["q/b", "p", "q/c"]);
    await made(store, { then: [put("q/b", "younger in value only")] });
    await made(store, { then: [remove("q/m")] });
    await make(store, ["q/m"]);
    assert.deepEqual(await keysOf(store, { prefix: "q/", order: "created" }), [
      "q/a", "q/z", "q/\uffff", "q/\u{1f512}", "q/b", "q/c", "q/m",
    ]); // prettier-ignore
  });

  check("give no more than the limit, after ordering", async ({ store }) => {
    await make(store, ["q/c", "q/a", "q/b", "r"]);
    for (const [limit, byKey, byAge] of [
      [1, ["q/a"], ["q/c"]],
      [2, ["q/a", "q/b"], ["q/c", "q/a"]],
      [3, ["q/a", "q/b", "q/c"], ["q/c", "q/a", "q/b"]],
      [4, ["q/a", "q/b", "q/c"], ["q/c", "q/a", "q/b"]],
      [Number.MAX_SAFE_INTEGER, ["q/a", "q/b", "q/c"], ["q/c", "q/a", "q/b"]],
    ] as const) {
      assert.deepEqual(await keysOf(store, { prefix: "q/", limit }), byKey);
      assert.deepEqual(await keysOf(store, { prefix: "q/", order: "created", limit }), byAge);
    }
  });

  check("in a change are answered as they are alone", async ({ store }) => {
    await make(store, ["q/c", "q/a", "q/b"]);
    for (const read of [
      { key: "q/a" },
      { prefix: "q/", order: "created", limit: 2 },
      { prefix: "" },
    ] as const) {
      const { snapshot } = await made(store, { then: [], read });
      assertSameSnapshot(store, await store.read(read), snapshot);
    }
  });

  check("that name a revision are answered by a state no older", async ({ store, other }) => {
    for (let i = 0; i < 10; i++) {
      const { revision } = await made(store, { then: [put("q/a", String(i))] });
      const seen = await other.read({ prefix: "q/", atLeast: revision });
      assert.ok(seen.revision >= revision);
      assert.equal(textOf(seen.entries[0]), String(i));
      assert.equal(textOf((await other.read({ key: "q/a", atLeast: revision })).entries[0]), String(i));
    }
  });

  check("see all of a commit or nothing of it", async ({ store, other, connect, sleep }) => {
    const third = await connect();
    await made(store, { then: [put("sum/a", "50"), put("sum/b", "50")] });
    let moving = true;
    const mover = (async () => {
      for (let i = 0; i < 100; i++) {
        await made(store, { then: [put("sum/a", String(i)), put("sum/b", String(100 - i))] });
      }
      moving = false;
    })();
    const readers = [store, other, third].map(async (client) => {
      do {
        const { entries } = await client.read({ prefix: "sum/" });
        assert.equal(
          entries.reduce((sum, entry) => sum + Number(textOf(entry)), 0),
          100,
        );
        // An engine that reads without waiting would otherwise leave the mover no time to move.
        await sleep(0);
      } while (moving);
    });
    await Promise.all([mover, ...readers]);
  });

  check("list the live sessions when asked", async ({ store, other }) => {
    const ttlMs = ttlNear(store, 10_000);
    const session = await store.openSession({ ttlMs, label: "a host, a process" });
    const unnamed = await other.openSession({ ttlMs });
    for (const client of [store, other]) {
      const { sessions = [], entries } = await client.read({ prefix: "nothing", limit: 1, sessions: true });
      assert.deepEqual(entries, []);
      assert.deepEqual(sessions.map(({ id }) => id).sort(), [session.id, unnamed.id].sort());
      for (const { id, label, ttlMs: ttl, remainingMs } of sessions) {
        assert.equal(label, id === session.id ? "a host, a process" : "");
        assert.equal(ttl, ttlMs);
        assert.ok(
          remainingMs > 0 && remainingMs <= ttlMs + client.guarantees.ttl.grainMs,
          String(remainingMs),
        );
      }
    }
    await session.end();
    const { snapshot } = await made(other, { then: [], read: { prefix: "", sessions: true } });
    assert.deepEqual(
      snapshot.sessions?.map(({ id }) => id),
      [unnamed.id],
    );
  });
}

async function make(store: Store, keys: readonly string[]): Promise<void> {
  for (const key of keys) await made(store, { then: [put(key)] });
}

/** Out of order, and always in the same way. */
function shuffled(keys: readonly string[]): string[] {
  return keys
    .map((key, i) => [(i * 37) % 101, key] as const)
    .sort(([a], [b]) => a - b)
    .map(([, key]) => key);
}
