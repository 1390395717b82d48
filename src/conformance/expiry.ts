import assert from "node:assert/strict";
import { systemClock } from "../base/clock.js";
import type { SessionEnd } from "../store/session.js";
import type { Store } from "../store/store.js";
import type { Check } from "./fixture.js";
import { alive, entryOf, eventually, keysOf, made, put, refused, ttlNear } from "./shorthand.js";
import { deeds, Watcher } from "./watcher.js";

const shortMs = 1000;

export function expiry(check: Check): void {
  check("spares a session that is renewed, over several times to live", async ({ store, other, sleep }) => {
    const ttlMs = ttlNear(store, shortMs);
    const session = await store.openSession({ ttlMs });
    await made(store, { then: [put("a", "", session.id)] });
    let ended: SessionEnd | undefined;
    session.onEnd((reason) => {
      ended = reason;
    });
    const { validUntil } = session;
    for (let i = 0; i < 10; i++) {
      await sleep(ttlMs / 4);
      assert.ok(session.isValid());
      assert.equal((await entryOf(other, "a"))?.session, session.id);
    }
    assert.ok(session.validUntil >= validUntil + ttlMs);
    assert.equal(ended, undefined);
    await made(other, { when: [alive(session.id)], then: [] });
  });

  check("takes a session that is not renewed, with all its keys at once, and no other", async (setting) => {
    const { store, other } = setting;
    const { owner, session, ttlMs } = await openFrozen(setting);
    const mine = await store.openSession({ ttlMs });
    await made(store, { then: [put("s/free"), put("s/mine", "", mine.id)] });
    const binding = {
      then: [put("s/1", "", session.id), put("s/2", "", session.id)],
      read: { prefix: "s/" },
    };
    const watcher = Watcher.after(other, "s/", (await made(owner, binding)).snapshot);
    await eventually(setting, lateMs(store, ttlMs), "the keys of an expired session vanish", async () => {
      const count = (await store.read({ prefix: "s/" })).entries.length;
      assert.ok(count === 4 || count === 2, "a session expired by halves");
      return count === 2;
    });
    assert.deepEqual(await keysOf(other, { prefix: "s/" }), ["s/free", "s/mine"]);
    await watcher.until((state) => !state.has("s/1"));
    watcher.assertSame(await store.read({ prefix: "s/" }));
    const told = watcher.told.at(-1);
    if (told?.kind === "batch") assert.deepEqual(deeds(told), ["delete s/1", "delete s/2"]);
    assert.ok(mine.isValid());
  });

  check("is told to watchers though nobody reads or commits", async (setting) => {
    const { store, other } = setting;
    const { owner, session, ttlMs } = await openFrozen(setting);
    const { snapshot } = await made(owner, { then: [put("a", "", session.id)], read: { prefix: "" } });
    const watcher = Watcher.after(other, "", snapshot);
    let heard = false;
    const hearing = watcher
      .until((state) => !state.has("a"))
      .then(() => {
        heard = true;
      });
    await eventually(setting, lateMs(store, ttlMs), "an expiry is told", async () => Promise.resolve(heard));
    await hearing;
  });

  check("does not come before its time", async (setting) => {
    const { store, sleep } = setting;
    const beganAt = systemClock.now();
    const { owner, session, ttlMs } = await openFrozen(setting);
    await made(owner, { then: [put("a", "", session.id)] });
    await sleep(ttlMs / 2);
    const entry = await entryOf(store, "a");
    // A machine that was busy for so long proves nothing.
    if (systemClock.now() - beganAt < ttlMs * 0.9) assert.equal(entry?.session, session.id);
  });

  check("is known to a frozen owner before it happens, by the mere look at the clock", async (setting) => {
    const { store, sleep } = setting;
    const { session, ttlMs } = await openFrozen(setting);
    let seenValid = 0;
    while (session.isValid()) {
      const verdict = await store.commit({ when: [alive(session.id)], then: [] });
      if (!session.isValid()) break;
      assert.ok(verdict.ok, "it believed itself alive when it was dead");
      seenValid++;
      await sleep(ttlMs / 20);
    }
    assert.ok(seenValid > 0);
    const heard: SessionEnd[] = [];
    session.onEnd((reason) => heard.push(reason));
    assert.equal(session.isValid(), false);
    assert.deepEqual(heard, ["lost"]);
  });

  check("leaves a dead session dead: nothing can be bound to it any more", async (setting) => {
    const { store, other } = setting;
    const { session, ttlMs } = await openFrozen(setting);
    await eventually(setting, lateMs(store, ttlMs), "a session that is not renewed expires", async () => {
      return !(await store.commit({ when: [alive(session.id)], then: [] })).ok;
    });
    assert.equal(session.isValid(), false);
    const { failed } = await refused(other, { then: [put("a", "", session.id)] });
    assert.deepEqual(failed, alive(session.id));
    const { sessions } = await store.read({ prefix: "", sessions: true });
    assert.deepEqual(sessions, []);
    await session.end();
  });
}

async function openFrozen({ store, connectFrozen }: { store: Store; connectFrozen(): Promise<Store> }) {
  const ttlMs = ttlNear(store, shortMs);
  const owner = await connectFrozen();
  const session = await owner.openSession({ ttlMs });
  return { owner, session, ttlMs };
}

/** Servers sweep when they have time; the promise is that an end comes, and not before its time. */
function lateMs(store: Store, ttlMs: number): number {
  return 3 * ttlMs + store.guarantees.ttl.grainMs;
}
