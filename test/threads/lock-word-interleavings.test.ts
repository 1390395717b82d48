import { isLockstepError, type Clock } from "lockstep/base";
import { describe, expect, test, vi } from "vitest";
import type { Liveness } from "../../src/threads/liveness.js";
import { LockWord } from "../../src/threads/lock-word.js";
import { explore, type ExploredThread } from "./explorer.js";

// Every interleaving takes a while, and longer where others work beside it.
vi.setConfig({ testTimeout: 120_000 });

// No spinning, which adds nothing but states.
vi.mock("../../src/threads/core-count.js", () => ({ coreCount: 1 }));

const words = new Int32Array(2);
const insideAt = 1;

/** How time passes for those who sleep: not at all, so that nobody starves, or so that all do at once. */
const paces = { "nobody starves": 0, "all starve at once": 1000 };

function lockOf(thread: ExploredThread, paceMs: number): LockWord {
  const now = () => (thread.isImpatient() ? 1e6 : 0) + thread.sleeps() * paceMs;
  const liveness = { self: thread.number, isDead: thread.isDead } as unknown as Liveness;
  return new LockWord(words, 0, liveness, { now } as Clock, "the mutex");
}

/** Locks, looks whether it is alone, unlocks. */
function section(lock: LockWord, timeoutMs?: number): void {
  lock.lockSync(timeoutMs);
  if (Atomics.add(words, insideAt, 1) !== 0) throw new Error("two are inside");
  Atomics.sub(words, insideAt, 1);
  lock.unlock();
}

/** A step looks at what it loaded or swapped in the same attempt; no attempt has more than five. */
const memory = 6;
const isFree = (memory: readonly number[]) => expect(memory[0]).toBe(0);

for (const [when, paceMs] of Object.entries(paces)) {
  describe(`in every order, when ${when}`, () => {
    const once = (thread: ExploredThread) => section(lockOf(thread, paceMs));
    const twice = (thread: ExploredThread) => {
      const lock = lockOf(thread, paceMs);
      section(lock);
      section(lock);
    };
    const impatiently = (thread: ExploredThread) => {
      try {
        section(lockOf(thread, paceMs), 1e5);
      } catch (error) {
        if (!isLockstepError(error, "timeout")) throw error;
      }
    };
    const trying = (thread: ExploredThread) => {
      const lock = lockOf(thread, paceMs);
      if (lock.tryLock()) lock.unlock();
    };
    const orLost = (thread: ExploredThread) => {
      try {
        section(lockOf(thread, paceMs));
      } catch (error) {
        if (!isLockstepError(error, "lost")) throw error;
      }
    };

    test("two threads lock twice", () => {
      expect(explore({ programs: [twice, twice], words: 2, memory, atEnd: isFree })).toBeGreaterThan(100);
    });

    test("three threads lock once", () => {
      expect(explore({ programs: [once, once, once], words: 2, memory, atEnd: isFree })).toBeGreaterThan(
        1000,
      );
    });

    test("one of three gives up", () => {
      explore({ programs: [once, once, impatiently], words: 2, memory, impatient: [2], atEnd: isFree });
    });

    test("one tries while two lock", () => {
      explore({ programs: [once, once, trying], words: 2, memory, atEnd: isFree });
    });

    test("one dies anywhere, and the others are told or go on", () => {
      explore({ programs: [once, orLost, orLost], words: 2, memory, mortal: [0] });
    });
  });
}
