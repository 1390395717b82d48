import assert from "node:assert/strict";
import type { Condition } from "../store/change.js";
import type { Store } from "../store/store.js";
import type { Check } from "./fixture.js";
import { absent, alive, created, made, modified, put, refused, remove, ttlNear } from "./shorthand.js";

export function conditions(check: Check): void {
  check("absent", async ({ store }) => {
    await holds(store, absent("a"));
    await made(store, { then: [put("a/b"), put("A")] });
    await holds(store, absent("a"));
    await made(store, { then: [put("a", "")] });
    await holdsNot(store, absent("a"));
    await made(store, { then: [remove("a")] });
    await holds(store, absent("a"));
  });

  check("created", async ({ store }) => {
    const first = await made(store, { then: [put("other")] });
    await holdsNot(store, created("a", first.revision));
    const birth = await made(store, { then: [put("a")] });
    await holds(store, created("a", birth.revision));
    await holdsNot(store, created("a", first.revision));
    await holdsNot(store, created("a", birth.revision + 1n));
    const rewrite = await made(store, { then: [put("a", "again")] });
    await holds(store, created("a", birth.revision));
    await holdsNot(store, created("a", rewrite.revision));
    await made(store, { then: [remove("a")] });
    await holdsNot(store, created("a", birth.revision));
    await made(store, { then: [put("a")] });
    await holdsNot(store, created("a", birth.revision));
  });

  check("modified", async ({ store }) => {
    const first = await made(store, { then: [put("other")] });
    await holdsNot(store, modified("a", first.revision));
    const birth = await made(store, { then: [put("a")] });
    await holds(store, modified("a", birth.revision));
    await holdsNot(store, modified("a", first.revision));
    const rewrite = await made(store, { then: [put("a", "again")] });
    await holds(store, modified("a", rewrite.revision));
    await holdsNot(store, modified("a", birth.revision));
    await made(store, { then: [remove("a")] });
    await holdsNot(store, modified("a", rewrite.revision));
  });

  check("created and modified at revision 0 hold for no key, present or not", async ({ store }) => {
    await made(store, { then: [put("a")] });
    for (const key of ["a", "b"]) {
      await holdsNot(store, created(key, 0n));
      await holdsNot(store, modified(key, 0n));
    }
  });

  check("alive", async ({ store, other }) => {
    const session = await store.openSession({ ttlMs: ttlNear(store, 10_000) });
    await holds(store, alive(session.id));
    await holds(other, alive(session.id));
    await holdsNot(store, alive("nobody"));
    await session.end();
    await holdsNot(store, alive(session.id));
    await holdsNot(other, alive(session.id));
  });

  check("the first that does not hold is reported, in the order given", async ({ store }) => {
    const { revision } = await made(store, { then: [put("a")] });
    const wrong = [modified("a", revision + 1n), absent("a"), created("b", revision), alive("nobody")];
    for (let turn = 0; turn < wrong.length; turn++) {
      const { failed } = await refused(store, { when: [absent("b"), ...wrong], then: [put("b")] });
      assert.deepEqual(failed, wrong[0]);
      wrong.push(wrong.shift() as Condition);
    }
  });

  check("are judged by the state before the change's own writes", async ({ store }) => {
    const { revision } = await made(store, { when: [absent("a")], then: [put("a")] });
    await made(store, { when: [created("a", revision)], then: [remove("a")] });
    await refused(store, { when: [created("a", revision)], then: [put("a")] });
    await made(store, { when: [absent("a"), absent("b")], then: [put("b")] });
  });

  check("may be on one key several times, and on keys that are not written", async ({ store }) => {
    const { revision } = await made(store, { then: [put("a")] });
    const both = [created("a", revision), modified("a", revision), created("a", revision)];
    await made(store, { when: both, then: [put("b")] });
    const { failed } = await refused(store, { when: [...both, absent("a")], then: [put("c")] });
    assert.deepEqual(failed, absent("a"));
  });
}

async function holds(store: Store, condition: Condition): Promise<void> {
  await made(store, { when: [condition], then: [] });
}

async function holdsNot(store: Store, condition: Condition): Promise<void> {
  const { failed } = await refused(store, { when: [condition], then: [] });
  assert.deepEqual(failed, condition);
}
