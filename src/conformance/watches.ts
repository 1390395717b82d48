import assert from "node:assert/strict";
import type { Batch, Resync, Revision } from "../store/change.js";
import type { Check } from "./fixture.js";
import {
  absent,
  assertSameRevision,
  failsWith,
  made,
  put,
  refused,
  remove,
  soon,
  textOf,
  ttlNear,
} from "./shorthand.js";
import { deeds, toldBy, Watcher } from "./watcher.js";

export function watches(check: Check): void {
  check("begin with how things stand, and go on with each commit in order", async ({ store, other }) => {
    await made(store, { then: [put("w/a"), put("w/b"), put("x")] });
    const watcher = new Watcher(other, "w/");
    const { snapshot } = await watcher.resync();
    assert.deepEqual(
      snapshot.entries.map((entry) => entry.key),
      ["w/a", "w/b"],
    );
    const revisions = [
      await made(store, { then: [put("w/a", "again"), remove("w/b"), put("w/c"), put("x")] }),
      await made(other, { then: [put("w/d"), remove("w/e")] }),
      await made(store, { then: [remove("w/d")] }),
    ].map(({ revision }) => revision);
    if (store.guarantees.watch === "log") {
      const told = [await watcher.batch(), await watcher.batch(), await watcher.batch()];
      assert.deepEqual(
        told.map((batch) => batch.revision),
        revisions,
      );
      assert.deepEqual(told.map(deeds), [["delete w/b", "put w/a", "put w/c"], ["put w/d"], ["delete w/d"]]);
      watcher.assertSame(await store.read({ prefix: "w/" }));
    }
    await made(store, { then: [put("w/end")] });
    await watcher.until((state) => state.has("w/end"));
    watcher.assertSame(await store.read({ prefix: "w/" }));
  });

  check("of an empty prefix begin with an empty resync, at the present revision", async ({ store }) => {
    const { revision } = await made(store, { then: [put("x")] });
    const { snapshot } = await new Watcher(store, "w/").resync();
    assert.deepEqual(snapshot.entries, []);
    assertSameRevision(store, snapshot.revision, revision);
  });

  check("carry each entry as it stands after the event", async ({ store, other }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, 10_000) });
    const watcher = new Watcher(other, "");
    await watcher.resync();
    const first = await made(store, { then: [put("a", "1", session.id)] });
    await watcher.until((state) => textOf(state.get("a")) === "1");
    watcher.assertSame(await store.read({ prefix: "" }));
    await made(store, { then: [put("a", "2")] });
    await watcher.until((state) => textOf(state.get("a")) === "2");
    watcher.assertSame(await store.read({ prefix: "" }));
    const told = watcher.told.at(-1);
    if (told?.kind !== "batch") return;
    assert.equal(told.events[0]?.kind === "put" && told.events[0].entry.created, first.revision);
  });

  check("show with its news what a change has to show, as of its revision, or nothing", async (setting) => {
    const { store, other } = setting;
    await made(store, { then: [put("q/b", "1")] });
    await made(store, { then: [put("q/c", "2"), put("q/d")] });
    await made(store, { then: [put("q/a", "3"), put("w/a"), put("w/b"), put("w/c")] });
    for (const [gone, oldest] of [
      ["w/a", "q/b"],
      ["w/b", "q/c"],
      ["w/c", "q/d"],
    ] as const) {
      const watcher = new Watcher(other, gone, { exact: true });
      await watcher.resync();
      const { snapshot } = await made(store, { then: [remove(gone)], read: { key: oldest }, show: "q/" });
      const told = await watcher.next();
      // It is not what was watched, so it is not among the events either.
      if (told.kind === "batch") assert.deepEqual(deeds(told), [`delete ${gone}`]);
      const shown = told.kind === "batch" ? told.shown : undefined;
      if (store.guarantees.push === "view") assert.ok(shown, "nothing is shown, and it would be short");
      if (shown) assert.deepEqual([shown], snapshot.entries);
      await made(store, { then: [remove(oldest)] });
    }
  });

  check("tell nothing of other keys, of refusals and of changes that change nothing", async (setting) => {
    const { store, other, sleep } = setting;
    await made(store, { then: [put("w/a")] });
    const watcher = new Watcher(other, "w/");
    await watcher.resync();
    await watcher.staysSilent(async () => {
      await made(store, { then: [put("w"), put("w0"), put("v/w/"), put("W/a")] });
      await refused(store, { when: [absent("w/a")], then: [put("w/b")] });
      await made(store, { then: [remove("w/b")] });
      await made(store, { then: [] });
      await store.read({ prefix: "w/" });
      await sleep(50);
    });
    await made(store, { then: [put("w/b")] });
    const told = await watcher.next();
    if (told.kind === "batch") assert.deepEqual(deeds(told), ["put w/b"]);
    watcher.assertSame(await store.read({ prefix: "w/" }));
  });

  check("from a revision just read tell all that came after it", async ({ store, other }) => {
    for (const key of ["w/a", "w/b", "x"]) await made(store, { then: [put(key)] });
    const snapshot = await other.read({ prefix: "w/" });
    for (const key of ["w/c", "y", "w/a"]) await made(store, { then: [put(key, "late")] });
    const watcher = Watcher.after(other, "w/", snapshot);
    if (store.guarantees.watch === "log") {
      assert.deepEqual([await watcher.batch(), await watcher.batch()].map(deeds), [["put w/c"], ["put w/a"]]);
    } else {
      await watcher.next();
    }
    await made(store, { then: [remove("w/b")] });
    await watcher.until((state) => !state.has("w/b"));
    watcher.assertSame(await store.read({ prefix: "w/" }));
  });

  check("from a revision of long ago tell all that came after it, or how things stand", async (setting) => {
    const { store, other } = setting;
    const { snapshot } = await made(store, { then: [put("w/a"), put("w/b")], read: { prefix: "w/" } });
    await made(store, { then: [remove("w/a"), put("w/b", "late")] });
    for (let i = 0; i < 3000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => made(store, { then: [put(`x/${j}`)] })));
    }
    await made(store, { then: [put("w/end")] });
    const watcher = Watcher.after(other, "w/", snapshot);
    await watcher.until((state) => state.has("w/end"));
    watcher.assertSame(await store.read({ prefix: "w/" }));
  });

  check(
    "from a revision that is still to come begin with a resync, and miss nothing after it",
    async (setting) => {
      const { store, other } = setting;
      const { revision } = await made(store, { then: [put("w/a")] });
      const watcher = new Watcher(other, "w/", { from: revision + 1_000_000n });
      assertSameRevision(store, (await watcher.resync()).snapshot.revision, revision);
      await made(store, { then: [put("w/b")] });
      await watcher.until((state) => state.has("w/b"));
      watcher.assertSame(await store.read({ prefix: "w/" }));
    },
  );

  check("tell each of several readers everything", async ({ store, other }) => {
    const watchers = [new Watcher(store, ""), new Watcher(store, "w/"), new Watcher(other, "w/")];
    for (const watcher of watchers) await watcher.resync();
    for (let i = 0; i < 10; i++) await made(store, { then: [put(`w/${i}`)] });
    for (const watcher of watchers) {
      await watcher.until((state) => state.has("w/9"));
      watcher.assertSame(await store.read({ prefix: "w/" }));
    }
  });

  check("answer two calls of next() at once, each with its own news, in order", async ({ store, other }) => {
    const from = (await store.read({ prefix: "" })).revision;
    const watch = other.watch("", { from });
    const both = [watch.next(), watch.next()] as const;
    await made(store, { then: [put("a")] });
    const first = await toldBy(both[0]);
    await made(store, { then: [put("b")] });
    const second = await toldBy(both[1]);
    assert.ok(revisionOf(second) > revisionOf(first), "the second call is told what came later");
  });

  check("give a reader that sleeps over thousands of commits all of them, or a resync", async (setting) => {
    const { store, other } = setting;
    const watcher = new Watcher(other, "w/");
    await watcher.resync();
    const commitCount = 6000;
    for (let i = 0; i < commitCount; i += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, j) => {
          const key = `w/${(i + j) % 37}`;
          return made(store, { then: [(i + j) % 5 === 0 ? remove(key) : put(key, String(i + j))] });
        }),
      );
    }
    await made(store, { then: [put("w/end")] });
    await watcher.until((state) => state.has("w/end"));
    watcher.assertSame(await store.read({ prefix: "w/" }));
    await made(store, { then: [put("w/after")] });
    await watcher.until((state) => state.has("w/after"));
    watcher.assertSame(await store.read({ prefix: "w/" }));
  });

  check("end with the reason of the signal that aborts them", async ({ store, sleep }) => {
    const reason = new Error("enough");
    const abort = new AbortController();
    const watch = store.watch("", { signal: abort.signal });
    await watch.next();
    const waiting = watch.next();
    await sleep(20);
    abort.abort(reason);
    await assert.rejects(soon(waiting, "the aborted next()"), (error) => error === reason);
    await made(store, { then: [put("a")] });
    await assert.rejects(drain(watch), (error) => error === reason);
  });

  check("fail at once when the signal has aborted already", async ({ store }) => {
    const reason = new Error("too late");
    await assert.rejects(
      async () => soon(drain(store.watch("", { signal: AbortSignal.abort(reason) })), "an aborted watch"),
      (error) => error === reason,
    );
    await made(store, { then: [put("a")] });
  });

  check("are over after return(), also for a next() that waits", async ({ store, sleep }) => {
    const watch = store.watch("");
    await watch.next();
    const waiting = watch.next();
    await sleep(20);
    await watch.return?.();
    assert.deepEqual(await soon(waiting, "next() after return()"), { done: true, value: undefined });
    await made(store, { then: [put("a")] });
    assert.equal((await watch.next()).done, true);
  });

  check("are over when a for-await loop is left", async ({ store }) => {
    const watch = store.watch("");
    for await (const { kind } of watch) {
      assert.equal(kind, "resync");
      break;
    }
    assert.equal((await watch.next()).done, true);
  });

  check("refuse a prefix that no key can begin with", async ({ store }) => {
    for (const prefix of ["\u0000", "half \ud83d", 7, undefined]) {
      await failsWith("bad-input", async () => drain(store.watch(prefix as string)));
    }
  });
}

function revisionOf(told: Batch | Resync): Revision {
  return told.kind === "batch" ? told.revision : told.snapshot.revision;
}

async function drain(watch: AsyncIterable<unknown>): Promise<void> {
  const all: unknown[] = [];
  for await (const told of watch) all.push(told);
}
