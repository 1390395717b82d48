import { Lockstep } from "lockstep";
import { MemoryStore } from "lockstep/memory";
import type { Guarantees } from "lockstep/store";
import { expect, test } from "vitest";
import { distant } from "./world.js";

/** A client of an engine that promises less. */
function onLess(promised: Partial<Guarantees>): Lockstep {
  const store = new MemoryStore();
  const guarantees = { ...store.guarantees, engine: "weak", ...promised };
  return new Lockstep({ ...distant(store, () => Promise.resolve()), guarantees });
}

/** The error that names the recipe and what it lacks. */
function lacking(recipe: string, need: string): Error {
  const message = `${recipe} needs ${need}, which the engine "weak" does not promise; use another engine`;
  return expect.objectContaining({ code: "unsupported", message }) as Error;
}

test("a lock and an election fail by name where tokens may fall, and kv is none the worse", async () => {
  await using ls = onLess({ fence: "regresses-on-failover", failoverLosesCommits: true });
  const rising = "fencing tokens that rise across a failover";
  expect(() => ls.lock("x")).toThrow(lacking("a lock", rising));
  expect(() => ls.election("x")).toThrow(lacking("an election", rising));
  await ls.kv.put("x", "1");
  expect((await ls.kv.get("x"))?.text).toBe("1");
});

test("kv fails by name where reads may miss something, and locks are none the worse", async () => {
  await using ls = onLess({ linearizableReads: false });
  expect(() => ls.kv).toThrow(lacking("the key-value store", "linearizable reads"));
  await using held = await ls.lock("x").acquire();
  expect(held.isHeld).toBe(true);
});

test("what every engine here may promise is enough", async () => {
  await using ls = onLess({
    fence: "follows-clock-on-failover",
    failoverLosesCommits: true,
    failoverRestartsExpiry: true,
    expiryMovesWithWallClock: true,
    noticesDeath: false,
    bindings: "own",
    revisions: "shared",
    watch: "resync",
    push: "poll",
  });
  await ls.kv.put("x", "1");
  expect(await ls.lock("x").run((held) => held.isHeld)).toBe(true);
  for await (const term of ls.election("e").campaign()) {
    expect(term.isHeld).toBe(true);
    break;
  }
});
