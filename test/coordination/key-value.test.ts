// The key-value store's own part: what it refuses, and how far memory remembers. What it does on every engine
// is in recipes/.
import { connect } from "lockstep";
import { describe, expect, test } from "vitest";
import { codeOf, World } from "./world.js";

describe("kv", () => {
  test("keeps its own copy of what was put, and gives one away", async () => {
    const { kv } = new World().client();
    const bytes = new Uint8Array([1]);
    await kv.put("a", bytes);
    bytes[0] = 2;
    const entry = (await kv.get("a"))!;
    expect(entry.value[0]).toBe(1);
    entry.value[0] = 3;
    expect((await kv.get("a"))!.value[0]).toBe(1);
  });

  test("refuses what makes no sense, and changes nothing", async () => {
    const world = new World();
    const { kv } = world.client();
    for (const key of ["", "a\0", "x".repeat(513), 5, undefined] as string[]) {
      expect(await codeOf(kv.get(key))).toBe("bad-input");
      expect(await codeOf(kv.put(key, "1"))).toBe("bad-input");
      expect(await codeOf(kv.delete(key))).toBe("bad-input");
    }
    for (const value of [5, null, undefined, {}, [1]] as never[]) {
      expect(await codeOf(kv.put("a", value))).toBe("bad-input");
    }
    for (const ifRevision of [-1n, 1, "1", null] as never[]) {
      expect(await codeOf(kv.put("a", "1", { ifRevision }))).toBe("bad-input");
      expect(await codeOf(kv.delete("a", { ifRevision }))).toBe("bad-input");
    }
    expect(await codeOf(kv.list(5 as never))).toBe("bad-input");
    expect(() => kv.watch("a\n")).toThrow(/control character/);
    expect(await world.keys("")).toEqual([]);
  });
});

test("a watch of kv goes on from a revision, as far as that is remembered", async () => {
  const { kv } = new World().client();
  const first = await kv.put("a", "1");
  await kv.put("a", "2");
  const from = first.ok ? first.revision : -1n;
  const watch = kv.watch("a", { from });
  expect((await watch.next()).value).toMatchObject({ kind: "put", key: "a", entry: { text: "2" } });
  await watch.return?.();
  for (let i = 0; i < 1100; i++) await kv.put("a", String(i));
  const late = kv.watch("a", { from });
  expect((await late.next()).value).toMatchObject({ kind: "resync", entries: [{ key: "a", text: "1099" }] });
  await late.return?.();
});

test("an ifRevision that is undefined is refused: it would write over anything", async () => {
  await using ls = await connect("memory:");
  await ls.kv.put("x", "1");
  const missing = await ls.kv.get("y");
  const options = { ifRevision: missing?.revision } as { ifRevision: bigint };
  await expect(ls.kv.put("x", "2", options)).rejects.toThrow(/0n for a key that must not be there/);
  expect((await ls.kv.get("x"))?.text).toBe("1");
});
