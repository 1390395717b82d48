import type { KeyValue, KeyValueChange } from "lockstep";
import { expect } from "vitest";
import { codeOf } from "../world.js";
import type { Check, Setting } from "./setting.js";

export function keyValue(check: Check): void {
  check("puts, gets and deletes, as text and as bytes", async (setting) => {
    const { kv } = await setting.client();
    expect(await kv.get("a")).toBeNull();
    const put = await kv.put("a", "wörld");
    const entry = (await kv.get("a"))!;
    expect([entry.key, entry.text]).toEqual(["a", "wörld"]);
    expect(put).toEqual({ ok: true, revision: entry.revision });
    expect(entry.created).toBe(entry.revision);
    await kv.put("a", new Uint8Array([0, 255, 7]));
    const bytes = (await kv.get("a"))!;
    expect([...bytes.value]).toEqual([0, 255, 7]);
    expect(bytes.created).toBe(entry.created);
    expect(bytes.revision).toBeGreaterThan(entry.revision);
    await kv.put("a", "");
    expect((await kv.get("a"))?.text).toBe("");
    expect((await kv.delete("a")).ok).toBe(true);
    expect(await kv.get("a")).toBeNull();
    expect((await kv.delete("a")).ok).toBe(true);
  });

  check("with ifRevision 0n puts only what is not there", async (setting) => {
    const { kv } = await setting.client();
    expect((await kv.put("a", "1", { ifRevision: 0n })).ok).toBe(true);
    const refused = await kv.put("a", "2", { ifRevision: 0n });
    expect(refused).toMatchObject({ ok: false, current: { key: "a", text: "1" } });
    await kv.delete("a");
    expect((await kv.put("a", "3", { ifRevision: 0n })).ok).toBe(true);
  });

  check("with ifRevision writes only over that revision, and else says what is there", async (setting) => {
    const { kv } = await setting.client();
    const first = await revisionOf(kv.put("a", "1"));
    const second = await revisionOf(kv.put("a", "2", { ifRevision: first }));
    const two = { ok: false, current: { text: "2", revision: second } };
    expect(await kv.put("a", "3", { ifRevision: first })).toMatchObject(two);
    expect(await kv.delete("a", { ifRevision: first })).toMatchObject(two);
    expect((await kv.delete("a", { ifRevision: second })).ok).toBe(true);
    expect(await kv.put("a", "4", { ifRevision: first })).toEqual({ ok: false, current: null });
    expect(await kv.delete("a", { ifRevision: first })).toEqual({ ok: false, current: null });
    expect((await kv.delete("a", { ifRevision: 0n })).ok).toBe(true);
    // Nor is it fooled by a key that was deleted and made anew.
    await kv.put("a", "1");
    expect((await kv.put("a", "2", { ifRevision: first })).ok).toBe(false);
  });

  check("counts right when many count by ifRevision", async (setting) => {
    const clients = await setting.clients(3);
    const count = async ({ kv }: { kv: KeyValue }) => {
      for (;;) {
        const entry = await kv.get("n");
        const ifRevision = entry?.revision ?? 0n;
        if ((await kv.put("n", String(Number(entry?.text ?? 0) + 1), { ifRevision })).ok) return;
      }
    };
    await setting.over(Promise.all(Array.from({ length: 30 }, (_, i) => count(clients[i % 3]!))));
    expect((await clients[0]!.kv.get("n"))?.text).toBe("30");
  });

  check("lists by prefix, in the order of keys, and nothing but its own", async (setting) => {
    const client = await setting.client();
    const { kv } = client;
    await client.lock("a").acquire();
    for (const key of ["b/2", "a/1", "b/10", "b", "c", "b/ä", "b/𝄞", "b/\uffee"]) await kv.put(key, key);
    const keys = async (prefix?: string) => (await kv.list(prefix)).map(({ key }) => key);
    expect(await keys()).toEqual(["a/1", "b", "b/10", "b/2", "b/ä", "b/\uffee", "b/𝄞", "c"]);
    expect(await keys("b/")).toEqual(["b/10", "b/2", "b/ä", "b/\uffee", "b/𝄞"]);
    expect(await keys("nothing")).toEqual([]);
  });

  check("shows a watcher how things stand, and then every change, in order", async (setting) => {
    const [{ kv }, watching] = [await setting.client(), await setting.client()];
    await kv.put("a/1", "x");
    await kv.put("b", "not watched");
    const abort = new AbortController();
    const { state, revisions, ended } = follow(watching.kv.watch("a/", { signal: abort.signal }));
    const shows = (want: object) => showing(setting, state, want);
    await shows({ "a/1": "x" });
    await kv.put("a/2", "y");
    await shows({ "a/1": "x", "a/2": "y" });
    await kv.put("b", "still not");
    for (let i = 0; i < 20; i++) await kv.put("a/2", `${i}`);
    await kv.delete("a/1");
    await kv.delete("a/1");
    await shows({ "a/2": "19" });
    for (const [i, at] of revisions.entries())
      if (i > 0) expect(at).toBeGreaterThanOrEqual(revisions[i - 1]!);
    abort.abort("done");
    await expect(setting.over(ended)).rejects.toBe("done");
  });

  check("shows a watcher that goes on from a revision what came since", async (setting) => {
    const { kv } = await setting.client();
    const from = await revisionOf(kv.put("a", "1"));
    await kv.put("a", "2");
    const { state } = follow(kv.watch("a", { from }));
    await showing(setting, state, { a: "2" });
    await kv.put("a", "3");
    await showing(setting, state, { a: "3" });
  });

  check("ends a watch with 'closed' when the client closes", async (setting) => {
    const client = await setting.client();
    const watch = client.kv.watch("");
    await watch.next();
    const next = codeOf(watch.next());
    await client.close();
    expect(await next).toBe("closed");
  });
}

async function revisionOf(change: ReturnType<KeyValue["put"]>): Promise<bigint> {
  const verdict = await change;
  expect(verdict.ok).toBe(true);
  return verdict.ok ? verdict.revision : -1n;
}

/** What the watcher was told, added up: some engines tell what happened, others how things stand since. */
function follow(watch: AsyncIterable<KeyValueChange>) {
  const state = new Map<string, string>();
  const revisions: bigint[] = [];
  const ended = (async () => {
    for await (const change of watch) {
      revisions.push(change.revision);
      if (change.kind === "resync") {
        state.clear();
        for (const { key, text } of change.entries) state.set(key, text);
      } else if (change.kind === "put") state.set(change.key, change.entry.text);
      else state.delete(change.key);
    }
  })();
  ended.catch(() => undefined);
  return { state, revisions, ended };
}

async function showing(setting: Setting, state: Map<string, string>, want: object): Promise<void> {
  const wanted = JSON.stringify(want);
  const shown = () => JSON.stringify(Object.fromEntries([...state].sort()));
  await setting.until(`a watcher sees ${wanted}`, () => shown() === wanted);
}
