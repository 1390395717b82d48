import { EventEmitter } from "node:events";
import { Lockstep, LockstepError } from "lockstep";
import { MemoryStore } from "lockstep/memory";
import { expect, test, vi } from "vitest";
import { leadWhenElected } from "../../src/cli/elect.js";
import { Signals } from "../../src/cli/signals.js";

/** A store that is away for the first so many commits. */
function awayFor(commits: number): MemoryStore {
  const store = new MemoryStore();
  const commit = store.commit.bind(store);
  vi.spyOn(store, "commit").mockImplementation(async (change) => {
    if (commits-- > 0) throw new LockstepError("unavailable", "the store is away");
    return commit(change);
  });
  return store;
}

const work = { command: ["sh", "-c", "exit 3"], environment: {}, graceMs: 1000 };

test("a candidate waits for a store that is away", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await using lockstep = new Lockstep(awayFor(1));
  const status = await leadWhenElected(lockstep.election("boss"), "a", work, new Signals(new EventEmitter()));
  told.mockRestore();
  expect(status).toBe(3);
});

test("a signal ends that wait", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await using lockstep = new Lockstep(awayFor(Infinity));
  const source = new EventEmitter();
  const standing = leadWhenElected(lockstep.election("boss"), "a", work, new Signals(source));
  await vi.waitFor(() => {
    expect(told).toHaveBeenCalledWith("lockstep: the store is away; standing again soon\n");
  });
  source.emit("SIGTERM", "SIGTERM");
  await expect(standing).rejects.toMatchObject({ status: 143 });
  told.mockRestore();
});
