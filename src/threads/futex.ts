import type { Clock, Timer } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { checkMilliseconds, tooLate, whenPatienceEnds, type Patience } from "../base/patience.js";
import { isMainThread, Liveness } from "./liveness.js";

/**
 * Whoever waits looks again this often, for a thread that dies tells nobody: neither that what it held is
 * free, nor that the wake-up it was given is still to be used.
 */
const sliceMs = 100;
/** How long a place in line may outlive the last task that wanted it. */
const placeMs = 10_000;
/** How often a word may change under a task before the event loop gets its turn. */
const changesPerTurn = 8;

/** The part of Atomics that the compiler's library does not know yet, nor do all browsers. */
interface WaitAsync {
  waitAsync?(
    words: Int32Array,
    index: number,
    expected: number,
    timeoutMs: number,
  ): { async: false } | { async: true; value: Promise<"ok" | "timed-out"> };
}

/** How long a thread is ready to block. No signal can reach it meanwhile. */
export interface SyncPatience {
  /** After so long the call throws 'timeout'; 0 tries once. Without it, one waits for ever. */
  timeoutMs?: number | undefined;
}

/** A task of this thread that waits. */
interface Task {
  /** Settles the task if it can. */
  readonly attempt: () => boolean;
}

/**
 * A word of shared memory to wait on, for threads that block and for those that go on meanwhile.
 *
 * One waits for an attempt to succeed, which is made anew whenever the word was woken, and at least every
 * 100 ms. An attempt says `undefined` for "not yet", and what it throws ends the wait.
 *
 * Whoever changes the word so that an attempt may succeed must wake it. None of that is missed: one sleeps
 * only while the word is what it was before the attempt. A word that takes a value twice, as that of a lock
 * does, could be that again after a change; then `left` must say what the word was when the last attempt left
 * it, with a mark in it that nobody takes off without waking.
 *
 * *Fairness*: sleepers are woken in the order in which they came. All tasks of one thread that await stand in
 * line once, and are served in their own order: who fails keeps those behind it waiting, for it would have
 * taken what they wait for. In a crowd each has its own condition, and all are tried.
 *
 * *Cancellation*: a wake-up is never swallowed. Atomics.waitAsync cannot be called off, but what stands in
 * line is the thread, not the task: the wake-up serves its next task, and when there is none it is passed on.
 */
export class Futex {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #clock: Clock;
  readonly #left: (() => number) | undefined;
  #isCrowd = false;
  /** In the order in which they came. */
  readonly #tasks = new Set<Task>();
  #isInLine = false;
  /** Brings the next look; being a timer it also keeps the process alive, which waitAsync does not. */
  #nextLook: Timer | undefined;

  /** `left`: see above. */
  constructor(words: Int32Array, index: number, clock: Clock, left?: () => number) {
    this.#words = words;
    this.#index = index;
    this.#clock = clock;
    this.#left = left;
  }

  /** For those who take nothing from each other, whoever goes on first; all of them are to be woken. */
  static ofCrowd(words: Int32Array, index: number, clock: Clock): Futex {
    const futex = new Futex(words, index, clock);
    futex.#isCrowd = true;
    return futex;
  }

  /** Wakes so many of those that wait, first come, first woken; says how many there were. */
  wake(count = Infinity): number {
    return Atomics.notify(this.#words, this.#index, count);
  }

  /** Throws 'misuse' in the main thread, which must not block, and 'bad-input' for nonsense. */
  static checkMayBlock(
    options: SyncPatience | undefined,
    instead: string,
    further: readonly string[] = [],
  ): void {
    if (isMainThread) {
      throw new LockstepError("misuse", `the main thread must not block: use \`${instead}\``);
    }
    if (options === undefined) return;
    checkOptions(options, ["timeoutMs", ...further]);
    if (options.timeoutMs !== undefined) checkMilliseconds("timeoutMs", options.timeoutMs, 0);
  }

  /** Blocks the thread until an attempt succeeds, or throws 'timeout'. */
  waitSync<T>(attempt: () => T | undefined, timeoutMs: number | undefined, awaited: string): T {
    Liveness.lookAfterChildren();
    const deadline = timeoutMs === undefined ? Infinity : this.#clock.now() + timeoutMs;
    for (;;) {
      const before = Atomics.load(this.#words, this.#index);
      const result = attempt();
      if (result !== undefined) return result;
      const leftMs = deadline - this.#clock.now();
      // A wake-up that came with the last moment is not lost: the attempt after it has failed.
      if (leftMs <= 0) throw tooLate(awaited, timeoutMs ?? 0);
      const expected = this.#left?.() ?? before;
      const outcome = Atomics.wait(this.#words, this.#index, expected, Math.min(leftMs, sliceMs));
      if (outcome === "timed-out") Liveness.lookAfterChildren();
    }
  }

  /** Awaits an attempt that succeeds. The patience must have been checked. */
  wait<T>(attempt: () => T | undefined, patience: Patience, awaited: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const result = this.#isCrowd || this.#tasks.size === 0 ? attempt() : undefined;
      if (result !== undefined) {
        resolve(result);
        return;
      }
      if (patience.timeoutMs === 0) throw tooLate(awaited, 0);
      const end = (settle: () => void) => {
        callOff();
        this.#tasks.delete(task);
        settle();
        return true;
      };
      const task: Task = {
        attempt: () => {
          try {
            const found = attempt();
            return found !== undefined && end(() => resolve(found));
          } catch (error) {
            return end(() => reject(error));
          }
        },
      };
      const callOff = whenPatienceEnds(patience, this.#clock, awaited, (error) => {
        this.#tasks.delete(task);
        if (this.#tasks.size === 0) this.#rest();
        reject(error);
      });
      this.#tasks.add(task);
      if (this.#tasks.size === 1) this.#serve();
    });
  }

  /** Lets the tasks try in their order; stands in line for those that remain. */
  #serve(): void {
    for (let changes = 0; changes < changesPerTurn; changes++) {
      const before = Atomics.load(this.#words, this.#index);
      for (const task of this.#tasks) if (!task.attempt() && !this.#isCrowd) break;
      if (this.#tasks.size === 0) {
        this.#rest();
        return;
      }
      // A place that was taken before the attempts is as good: whoever changes the word after them wakes it.
      if (this.#isInLine || this.#standInLine(this.#left?.() ?? before)) {
        this.#lookAgainIn(sliceMs);
        return;
      }
    }
    this.#lookAgainIn(0);
  }

  /** False when the word has changed. */
  #standInLine(expected: number): boolean {
    const atomics = Atomics as Atomics & WaitAsync;
    // Without it there are the looks.
    if (!atomics.waitAsync) return true;
    const outcome = atomics.waitAsync(this.#words, this.#index, expected, placeMs);
    if (!outcome.async) return false;
    this.#isInLine = true;
    void outcome.value.then((how) => {
      this.#isInLine = false;
      if (this.#tasks.size > 0) this.#serve();
      else if (how === "ok") this.wake(1);
    });
    return true;
  }

  #lookAgainIn(delayMs: number): void {
    this.#nextLook?.cancel();
    this.#nextLook = this.#clock.after(delayMs, () => this.#serve());
  }

  #rest(): void {
    this.#nextLook?.cancel();
    this.#nextLook = undefined;
  }
}
