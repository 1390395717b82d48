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

test("a lock and an election fail by name where tokens start over, and kv is none the worse", async () => {
  await using ls = onLess({ fence: "regresses-on-failover", failoverLosesCommits: true });
  const lacking = 'fencing tokens that rise across a failover, which the engine "weak" does not promise';
  const unsupported = (recipe: string) =>
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringContaining(`${recipe} needs ${lacking}`) as string,
    }) as Error;
  expect(() => ls.lock("x")).toThrow(unsupported("a lock"));
  expect(() => ls.election("x")).toThrow(unsupported("an election"));
  await ls.kv.put("x", "1");
  expect((await ls.kv.get("x"))?.text).toBe("1");
});

test("the key-value store fails by name where reads may miss something, and locks are none the worse", async () => {
  await using ls = onLess({ linearizableReads: false });
  expect(() => ls.kv).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringContaining(
        'the key-value store needs linearizable reads, which the engine "weak"',
      ) as string,
    }) as Error,
  );
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
