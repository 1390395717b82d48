import assert from "node:assert/strict";
import type { SessionEnd } from "../store/session.js";
import type { Check } from "./fixture.js";
import { alive, entryOf, failsWith, keysOf, made, put, refused, soon, ttlNear } from "./shorthand.js";
import { toldBy } from "./watcher.js";

export function closing(check: Check): void {
  check("makes every later call fail with 'closed'", async ({ store }) => {
    await made(store, { then: [put("a")] });
    await store.close();
    await failsWith("closed", () => store.commit({ then: [put("b")] }));
    await failsWith("closed", () => store.commit({ then: [] }));
    await failsWith("closed", () => store.read({ key: "a" }));
    await failsWith("closed", () => store.read({ prefix: "" }));
    await failsWith("closed", () => store.openSession({ ttlMs: ttlNear(store, 10_000) }));
    await failsWith("closed", async () => store.watch("").next());
  });

  check("ends watches with 'closed', waiting or not", async ({ store, sleep }) => {
    const waiting = store.watch("");
    await waiting.next();
    const next = waiting.next();
    const idle = store.watch("");
    // Asked for before, looked at after: a rejection must not go unhandled in between.
    const outcome = failsWith("closed", () => next);
    await sleep(20);
    await store.close();
    await soon(outcome, "a watch of a closed store to end");
    await soon(
      failsWith("closed", () => idle.next()),
      "an idle watch of a closed store to end",
    );
  });

  check("ends the sessions that were opened here, and no others", async ({ store, other }) => {
    const ttlMs = ttlNear(store, 10_000);
    const mine = await store.openSession({ ttlMs });
    const theirs = await other.openSession({ ttlMs });
    await made(store, { then: [put("mine", "", mine.id)] });
    await made(other, { then: [put("theirs", "", theirs.id)] });
    const heard: SessionEnd[] = [];
    mine.onEnd((reason) => heard.push(reason));
    await store.close();
    assert.deepEqual(heard, ["ended"]);
    assert.equal(mine.isValid(), false);
    assert.ok(theirs.isValid());
    assert.deepEqual(await keysOf(other, { prefix: "" }), ["theirs"]);
    await refused(other, { when: [alive(mine.id)], then: [] });
    await made(other, { when: [alive(theirs.id)], then: [] });
    await mine.end();
  });

  check("may be done twice, also at once", async ({ store }) => {
    await store.openSession({ ttlMs: ttlNear(store, 10_000) });
    await soon(Promise.all([store.close(), store.close()]), "two calls of close()");
    await soon(store.close(), "a third call of close()");
  });

  check("leaves the data, and the other clients, as they are", async ({ store, other, connect }) => {
    await made(store, { then: [put("a", "kept")] });
    const watch = other.watch("");
    await watch.next();
    await store.close();
    const later = await connect();
    assert.equal((await entryOf(later, "a"))?.key, "a");
    await made(other, { then: [put("b")] });
    await toldBy(watch.next());
    assert.deepEqual(await keysOf(later, { prefix: "" }), ["a", "b"]);
  });
}
