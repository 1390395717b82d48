import assert from "node:assert/strict";
import type { SessionEnd } from "../store/session.js";
import type { Check } from "./fixture.js";
import {
  absent,
  alive,
  assertSameRevision,
  assertSameSnapshot,
  entryOf,
  failsWith,
  keysOf,
  made,
  put,
  refused,
  soon,
  ttlNear,
} from "./shorthand.js";
import { deeds, Watcher } from "./watcher.js";

const longMs = 10_000;

export function sessions(check: Check): void {
  check("are born valid, each with an id of its own", async ({ store, other }) => {
    const ttlMs = ttlNear(store, longMs);
    const opened = await Promise.all([store, store, other].map((client) => client.openSession({ ttlMs })));
    assert.equal(new Set(opened.map((session) => session.id)).size, opened.length);
    for (const session of opened) {
      assert.ok(session.isValid());
      assert.equal(session.ttlMs, ttlMs);
      assert.equal(typeof session.validUntil, "number");
      await made(other, { when: [alive(session.id)], then: [] });
    }
  });

  check("own the keys that are bound to them, and only those vanish when they end", async (setting) => {
    const { store, other } = setting;
    const ttlMs = ttlNear(store, longMs);
    const mine = await store.openSession({ ttlMs });
    const theirs = await other.openSession({ ttlMs });
    await made(store, { then: [put("s/free"), put("s/mine 1", "", mine.id)] });
    await made(other, { then: [put("s/theirs", "", theirs.id)] });
    await made(store, { then: [put("t/mine 2", "", mine.id)] });
    assert.equal((await entryOf(other, "s/mine 1"))?.session, mine.id);
    assert.equal((await entryOf(store, "s/free"))?.session, undefined);
    await mine.end();
    for (const client of [store, other]) {
      assert.deepEqual(await keysOf(client, { prefix: "" }), ["s/free", "s/theirs"]);
    }
    assert.ok(theirs.isValid());
    await made(store, { when: [absent("s/mine 1"), alive(theirs.id)], then: [] });
  });

  check("may be bound to by any client, several in one change, if it is promised so", async (setting) => {
    const { store, other } = setting;
    if (store.guarantees.bindings !== "any") return;
    const ttlMs = ttlNear(store, longMs);
    const mine = await store.openSession({ ttlMs });
    const theirs = await other.openSession({ ttlMs });
    await made(store, { then: [put("s/mine 1", "", mine.id), put("s/theirs", "", theirs.id)] });
    await made(other, { then: [put("t/mine 2", "", mine.id)] });
    await mine.end();
    assert.deepEqual(await keysOf(other, { prefix: "" }), ["s/theirs"]);
  });

  check("bind a change's keys to one of the client's own, if no more is promised", async (setting) => {
    const { store, other } = setting;
    if (store.guarantees.bindings !== "own") return;
    const ttlMs = ttlNear(store, longMs);
    const [mine, second] = [await store.openSession({ ttlMs }), await store.openSession({ ttlMs })];
    const theirs = await other.openSession({ ttlMs });
    const both = { then: [put("a", "", mine.id), put("b", "", second.id)] };
    await failsWith("unsupported", () => store.commit(both));
    await failsWith("unsupported", () => store.commit({ then: [put("a", "", theirs.id)] }));
    assert.deepEqual(await keysOf(other, { prefix: "" }), []);
  });

  check("take all their keys with them in one commit", async ({ store, other }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    const keys = Array.from({ length: 30 }, (_, i) => `s/${i}`);
    for (const key of keys) await made(store, { then: [put(key, "", session.id)] });
    const { snapshot } = await made(store, { then: [put("s/free")], read: { prefix: "s/" } });
    const watcher = Watcher.after(other, "s/", snapshot);
    await session.end();
    await watcher.until(
      (state) => state.size === 1,
      (state) => assert.equal(state.size, 1, "a session ended by halves"),
    );
    watcher.assertSame(await store.read({ prefix: "s/" }));
    const told = watcher.told.at(-1);
    assert.ok((await store.read({ prefix: "" })).revision > snapshot.revision);
    if (told?.kind !== "batch") return;
    assert.deepEqual(deeds(told), keys.map((key) => `delete ${key}`).sort());
    assert.ok(told.revision > snapshot.revision);
  });

  check("that own nothing end without advancing the revision", async ({ store }) => {
    const { revision } = await made(store, { then: [put("a")] });
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    await made(store, { when: [alive(session.id)], then: [] });
    await session.end();
    assertSameRevision(store, (await store.read({ prefix: "" })).revision, revision);
  });

  check("lose a key that is bound to another, to none, or was made anew", async ({ store, other }) => {
    const ttlMs = ttlNear(store, longMs);
    const first = await store.openSession({ ttlMs });
    const second = await other.openSession({ ttlMs });
    const keys = ["deleted", "kept", "moved", "unbound"];
    const { revision } = await made(store, { then: keys.map((key) => put(key, "", first.id)) });
    await made(other, {
      then: [put("moved", "", second.id), put("unbound"), { kind: "delete", key: "deleted" }],
    });
    await made(other, { then: [put("deleted", "made anew")] });
    assert.equal((await entryOf(store, "moved"))?.session, second.id);
    assert.equal((await entryOf(store, "moved"))?.created, revision);
    assert.equal((await entryOf(store, "unbound"))?.session, undefined);
    await first.end();
    assert.deepEqual(await keysOf(store, { prefix: "" }), ["deleted", "moved", "unbound"]);
    await second.end();
    assert.deepEqual(await keysOf(store, { prefix: "" }), ["deleted", "unbound"]);
  });

  check("bind keys that were free before", async ({ store }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    await made(store, { then: [put("a")] });
    await made(store, { then: [put("a", "", session.id)] });
    await session.end();
    assert.equal(await entryOf(store, "a"), undefined);
  });

  check("that are over own nothing: a put bound to one is refused", async ({ store, other }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    await session.end();
    const before = await store.read({ prefix: "" });
    for (const [client, id] of [
      [store, session.id],
      [other, session.id],
      [store, "nobody"],
    ] as const) {
      const { failed } = await refused(client, { then: [put("a"), put("b", "", id)] });
      assert.deepEqual(failed, alive(id));
    }
    assertSameSnapshot(store, await store.read({ prefix: "" }), before);
  });

  check("are asked after only when every condition of the change holds", async ({ store }) => {
    await made(store, { then: [put("a")] });
    const change = { when: [absent("a")], then: [put("b", "", "nobody")] };
    assert.deepEqual((await refused(store, change)).failed, absent("a"));
  });

  check("tell of their end once, to everyone who listens", async ({ store }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    const heard: [string, SessionEnd][] = [];
    session.onEnd((reason) => heard.push(["first", reason]));
    const callOff = session.onEnd((reason) => heard.push(["called off", reason]));
    session.onEnd((reason) => heard.push(["second", reason]));
    callOff();
    const ending = session.end();
    assert.equal(session.isValid(), false, "it is over as soon as its end is wanted");
    await soon(ending, "the end of a session");
    await soon(session.end(), "a second end()");
    assert.deepEqual(heard, [
      ["first", "ended"],
      ["second", "ended"],
    ]);
  });

  check("tell at once of an end that was before", async ({ store }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
    await session.end();
    let heard: SessionEnd | undefined;
    session.onEnd((reason) => {
      heard = reason;
    })();
    assert.equal(heard, "ended");
  });

  check(
    "are gone for everyone when end() resolves, whichever of two calls it was",
    async ({ store, other }) => {
      const session = await store.openSession({ ttlMs: ttlNear(store, longMs) });
      await made(store, { then: [put("a", "", session.id)] });
      await Promise.race([session.end().then(() => session.end()), session.end()]);
      assert.equal(await entryOf(other, "a"), undefined);
    },
  );

  check("may share a client by the dozen", async ({ store, other }) => {
    const ttlMs = ttlNear(store, longMs);
    const opened = await Promise.all(Array.from({ length: 24 }, () => store.openSession({ ttlMs })));
    await Promise.all(opened.map(({ id }, i) => made(store, { then: [put(`s/${i}`, id, id)] })));
    await Promise.all(opened.slice(1).map((session) => session.end()));
    assert.deepEqual(await keysOf(other, { prefix: "s/" }), ["s/0"]);
  });
}
