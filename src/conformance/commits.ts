import assert from "node:assert/strict";
import type { Revision } from "../store/change.js";
import type { Check } from "./fixture.js";
import {
  absent,
  assertSameRevision,
  assertSameSnapshot,
  created,
  entryOf,
  keysOf,
  made,
  modified,
  put,
  remove,
  refused,
  textOf,
} from "./shorthand.js";

export function commits(check: Check): void {
  check("makes all the writes of a change at one revision", async ({ store, other }) => {
    const { ok, revision, snapshot } = await made(store, { then: [put("a", "1"), put("b", "2")] });
    assert.equal(ok, true);
    assert.deepEqual(snapshot.entries, [], "nothing is read that was not asked for");
    const { entries } = await other.read({ prefix: "" });
    assert.deepEqual(
      entries.map((entry) => [entry.key, textOf(entry)]),
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
    for (const entry of entries) {
      assert.equal(entry.created, revision);
      assert.equal(entry.modified, revision);
      assert.equal(entry.session, undefined);
    }
  });

  check("makes none of the writes of a change that is refused", async ({ store, other }) => {
    await made(store, { then: [put("there", "before")] });
    const before = await store.read({ prefix: "" });
    await refused(other, {
      when: [absent("there")],
      then: [put("a"), put("there", "after"), remove("there too"), put("z")],
    });
    assertSameSnapshot(store, await store.read({ prefix: "" }), before);
  });

  check("reads, with what it made, what it has written itself", async ({ store }) => {
    await made(store, { then: [put("k/1"), put("k/2", "old"), put("k/3"), put("l")] });
    const { revision, snapshot } = await made(store, {
      then: [remove("k/1"), put("k/2", "new"), put("k/4")],
      read: { prefix: "k/" },
    });
    assertSameRevision(store, snapshot.revision, revision);
    assert.deepEqual(
      snapshot.entries.map((entry) => [entry.key, textOf(entry), entry.modified === revision]),
      [
        ["k/2", "new", true],
        ["k/3", "k/3", false],
        ["k/4", "k/4", true],
      ],
    );
  });

  check("reads, with what was refused, what refused it", async ({ store, other }) => {
    const { revision } = await made(store, { then: [put("lock", "mine")] });
    const { snapshot } = await refused(other, {
      when: [absent("lock")],
      then: [put("lock", "theirs")],
      read: { key: "lock" },
    });
    assertSameRevision(store, snapshot.revision, revision);
    assert.deepEqual(snapshot.entries.map(textOf), ["mine"]);
    assert.equal(snapshot.entries[0]?.created, revision);
  });

  check("keeps a key's `created` when it is written again, and moves its `modified`", async ({ store }) => {
    const first = await made(store, { then: [put("a", "same")] });
    const second = await made(store, { then: [put("a", "same")] });
    assert.ok(second.revision > first.revision, "to write the same value is to write");
    const entry = await entryOf(store, "a");
    assert.equal(entry?.created, first.revision);
    assert.equal(entry.modified, second.revision);
  });

  check("gives a key a new `created` when it was deleted in between", async ({ store }) => {
    const first = await made(store, { then: [put("a")] });
    await made(store, { then: [remove("a")] });
    assert.equal(await entryOf(store, "a"), undefined);
    const again = await made(store, { when: [absent("a")], then: [put("a")] });
    assert.ok(again.revision > first.revision);
    assert.equal((await entryOf(store, "a"))?.created, again.revision);
  });

  check("does not advance the revision when nothing changes", async ({ store }) => {
    const { revision } = await made(store, { then: [put("a")] });
    const same = ({ revision: now }: { revision: Revision }) => {
      assertSameRevision(store, now, revision);
    };
    const empty = await made(store, { then: [], read: { prefix: "" } });
    same(empty);
    assert.equal(empty.snapshot.entries.length, 1);
    assert.equal(empty.snapshot.entries[0]?.modified, revision);
    same(await made(store, { then: [remove("nothing there")] }));
    same(await made(store, { when: [created("a", revision)], then: [] }));
    same(await store.read({ prefix: "" }));
    same((await refused(store, { when: [absent("a")], then: [] })).snapshot);
  });

  check("makes the other writes beside the delete of an absent key", async ({ store }) => {
    const first = await made(store, { then: [put("a")] });
    const second = await made(store, { then: [remove("nothing there"), put("b"), remove("a")] });
    assert.ok(second.revision > first.revision);
    assert.deepEqual(await keysOf(store, { prefix: "" }), ["b"]);
  });

  check("gives revisions that rise, whichever client commits", async ({ store, other }) => {
    let last = (await store.read({ prefix: "" })).revision;
    for (let i = 0; i < 20; i++) {
      const client = i % 2 === 0 ? store : other;
      const { revision } = await made(client, { then: [put(`key ${i % 3}`)] });
      assert.ok(revision > last, `${revision} after ${last}`);
      last = revision;
    }
    assertSameRevision(store, (await other.read({ prefix: "" })).revision, last);
  });

  check("takes as many operations in one change as it promises", async ({ store }) => {
    const most = Math.min(store.guarantees.maxOperations, 5000);
    const conditions = Array.from({ length: Math.floor(most / 2) }, (_, i) => absent(`k${i}`));
    const writes = Array.from({ length: most - conditions.length }, (_, i) => put(`k${i}`));
    await made(store, { when: conditions, then: writes });
    assert.equal((await store.read({ prefix: "k" })).entries.length, writes.length);
  });

  check("a key is modified by the change that rebinds it, and not by others", async ({ store }) => {
    const { revision } = await made(store, { then: [put("a"), put("b")] });
    await made(store, { when: [modified("a", revision)], then: [put("a")] });
    await refused(store, { when: [modified("a", revision)], then: [put("a")] });
    await made(store, { when: [modified("b", revision)], then: [put("b")] });
  });
}
