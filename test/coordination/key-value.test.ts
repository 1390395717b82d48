import { connect, type KeyValueChange } from "lockstep";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Judge } from "./judge.js";
import { codeOf, settled, World } from "./world.js";

const newKv = () => new World().client().kv;

describe("kv", () => {
  test("puts, gets and deletes, as text and as bytes", async () => {
    const kv = newKv();
    expect(await kv.get("a")).toBeNull();
    const put = await kv.put("a", "wörld");
    expect(put.ok).toBe(true);
    const entry = (await kv.get("a"))!;
    expect([entry.key, entry.text]).toEqual(["a", "wörld"]);
    expect(put.ok && put.revision).toBe(entry.revision);
    expect(entry.created).toBe(entry.revision);
    await kv.put("a", new Uint8Array([0, 255, 7]));
    const bytes = (await kv.get("a"))!;
    expect([...bytes.value]).toEqual([0, 255, 7]);
    expect(bytes.created).toBe(entry.created);
    expect(bytes.revision).toBeGreaterThan(entry.revision);
    expect((await kv.delete("a")).ok).toBe(true);
    expect(await kv.get("a")).toBeNull();
    expect((await kv.delete("a")).ok).toBe(true);
  });

  test("holds an empty value, which is not no value", async () => {
    const kv = newKv();
    await kv.put("a", "");
    expect((await kv.get("a"))?.text).toBe("");
  });

  test("keeps its own copy of what was put, and gives one away", async () => {
    const kv = newKv();
    const bytes = new Uint8Array([1]);
    await kv.put("a", bytes);
    bytes[0] = 2;
    const entry = (await kv.get("a"))!;
    expect(entry.value[0]).toBe(1);
    entry.value[0] = 3;
    expect((await kv.get("a"))!.value[0]).toBe(1);
  });

  test("with ifRevision 0n puts only what is not there", async () => {
    const kv = newKv();
    expect((await kv.put("a", "1", { ifRevision: 0n })).ok).toBe(true);
    const refused = await kv.put("a", "2", { ifRevision: 0n });
    expect(refused).toMatchObject({ ok: false, current: { key: "a", text: "1" } });
    await kv.delete("a");
    expect((await kv.put("a", "3", { ifRevision: 0n })).ok).toBe(true);
  });

  test("with ifRevision writes only over that revision, and else says what is there", async () => {
    const kv = newKv();
    const first = await kv.put("a", "1");
    const second = await kv.put("a", "2", { ifRevision: first.ok ? first.revision : -1n });
    expect(second.ok).toBe(true);
    const stale = first.ok ? first.revision : -1n;
    expect(await kv.put("a", "3", { ifRevision: stale })).toMatchObject({
      ok: false,
      current: { text: "2" },
    });
    expect(await kv.delete("a", { ifRevision: stale })).toMatchObject({ ok: false, current: { text: "2" } });
    expect((await kv.get("a"))?.text).toBe("2");
    expect((await kv.delete("a", { ifRevision: second.ok ? second.revision : -1n })).ok).toBe(true);
    expect(await kv.put("a", "4", { ifRevision: stale })).toEqual({ ok: false, current: null });
    expect(await kv.delete("a", { ifRevision: stale })).toEqual({ ok: false, current: null });
    expect((await kv.delete("a", { ifRevision: 0n })).ok).toBe(true);
  });

  test("is not fooled by a key that was deleted and made anew", async () => {
    const kv = newKv();
    const first = await kv.put("a", "1");
    await kv.delete("a");
    await kv.put("a", "1");
    expect((await kv.put("a", "2", { ifRevision: first.ok ? first.revision : -1n })).ok).toBe(false);
  });

  test("counts right when many count by ifRevision", async () => {
    const world = new World();
    const increment = async () => {
      const { kv } = world.client();
      for (;;) {
        const entry = await kv.get("n");
        const ifRevision = entry?.revision ?? 0n;
        if ((await kv.put("n", String(Number(entry?.text ?? 0) + 1), { ifRevision })).ok) return;
      }
    };
    await Promise.all(Array.from({ length: 40 }, increment));
    expect((await world.client().kv.get("n"))?.text).toBe("40");
  });

  test("lists by prefix, in the order of keys, and nothing but its own", async () => {
    const world = new World();
    const client = world.client();
    const { kv } = client;
    await client.lock("a").acquire();
    for (const key of ["b/2", "a/1", "b/10", "b", "c", "b/ä", "b/𝄞", "b/\uffee"]) await kv.put(key, key);
    const keys = async (prefix?: string) => (await kv.list(prefix)).map(({ key }) => key);
    expect(await keys()).toEqual(["a/1", "b", "b/10", "b/2", "b/ä", "b/\uffee", "b/𝄞", "c"]);
    expect(await keys("b/")).toEqual(["b/10", "b/2", "b/ä", "b/\uffee", "b/𝄞"]);
    expect(await keys("nothing")).toEqual([]);
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

describe("a watch of kv", () => {
  /** Changes as words: what, which key, and the value. */
  const words = (change: KeyValueChange): string => {
    if (change.kind === "resync")
      return `resync ${change.entries.map(({ key, text }) => `${key}=${text}`).join()}`;
    return change.kind === "put" ? `put ${change.key}=${change.entry.text}` : `delete ${change.key}`;
  };

  test("begins with how things stand, and goes on with every change, in order", async () => {
    const world = new World();
    const { kv } = world.client();
    await kv.put("a/1", "x");
    await kv.put("b", "not watched");
    const abort = new AbortController();
    const changes: KeyValueChange[] = [];
    const watching = (async () => {
      for await (const change of world.client().kv.watch("a/", { signal: abort.signal }))
        changes.push(change);
    })();
    await settled();
    await kv.put("a/2", "y");
    await kv.put("b", "still not");
    await kv.put("a/2", "z");
    await kv.delete("a/1");
    await kv.delete("a/1");
    await settled();
    expect(changes.map(words)).toEqual(["resync a/1=x", "put a/2=y", "put a/2=z", "delete a/1"]);
    const revisions = changes.map(({ revision }) => revision);
    expect([...revisions].sort((x, y) => Number(x - y))).toEqual(revisions);
    abort.abort("done");
    await expect(watching).rejects.toBe("done");
  });

  test("goes on from a revision, as far as that is remembered", async () => {
    const { kv } = newWorldClient();
    const first = await kv.put("a", "1");
    await kv.put("a", "2");
    const from = first.ok ? first.revision : -1n;
    const watch = kv.watch("a", { from });
    expect(words((await watch.next()).value as KeyValueChange)).toBe("put a=2");
    await watch.return?.();
    for (let i = 0; i < 1100; i++) await kv.put("a", String(i));
    const late = kv.watch("a", { from });
    expect(words((await late.next()).value as KeyValueChange)).toBe("resync a=1099");
    await late.return?.();
  });

  test("ends with 'closed' when the client closes", async () => {
    const client = newWorldClient();
    const watch = client.kv.watch("");
    await watch.next();
    const next = codeOf(watch.next());
    await client.close();
    expect(await next).toBe("closed");
  });

  test("on lmdb tells one client of what another did, in order", async () => {
    const directory = mkdtempSync(join(tmpdir(), "lockstep-kv-"));
    try {
      const judge = new Judge();
      await using a = judge.follow(await connect(`lmdb:${directory}`));
      await using b = judge.follow(await connect(`lmdb:${directory}`));
      await a.kv.put("a", "0");
      const seen: string[] = [];
      const watch = b.kv.watch("a");
      seen.push(words((await watch.next()).value as KeyValueChange));
      for (let i = 1; i <= 20; i++) await a.kv.put("a", String(i));
      await a.kv.delete("a");
      while (seen.at(-1) !== "delete a") seen.push(words((await watch.next()).value as KeyValueChange));
      const puts = Array.from({ length: 20 }, (_, i) => `put a=${i + 1}`);
      expect(seen).toEqual(["resync a=0", ...puts, "delete a"]);
      expect(await b.kv.put("a", "1", { ifRevision: 1n })).toEqual({ ok: false, current: null });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

const newWorldClient = () => new World().client();

test("an ifRevision that is undefined is refused: it would write over anything", async () => {
  await using ls = await connect("memory:");
  await ls.kv.put("x", "1");
  const missing = await ls.kv.get("y");
  const options = { ifRevision: missing?.revision } as { ifRevision: bigint };
  await expect(ls.kv.put("x", "2", options)).rejects.toThrow(/0n for a key that must not be there/);
  expect((await ls.kv.get("x"))?.text).toBe("1");
});
