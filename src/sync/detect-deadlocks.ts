import { LockstepError } from "../base/errors.js";
import { CallSite } from "./call-site.js";
import { deadlockWatch, setDeadlockWatch, type DeadlockWatch } from "./deadlock-watch.js";
import type { Held } from "./held.js";
import { HeldMeanwhile } from "./held-meanwhile.js";
import type { Permits, Want } from "./permits.js";
import type { Waiter } from "./wait-queue.js";
import { circleFrom, type Hold, type LockState, type Wait } from "./wait-graph.js";

/** One lock that is held, or waited for. */
export interface LockReport {
  /** What it is called. */
  readonly lock: string;
  /** Where each of its holders took it: the top of a stack trace. */
  readonly heldSince: readonly string[];
  /** Where each of those who wait for it asked. */
  readonly waitingAt: readonly string[];
}

/**
 * Finds deadlocks, from now on: the `acquire` that would close a circle of tasks that wait for each other is
 * rejected with 'deadlock', and its message tells the circle, and where each lock in it was taken.
 *
 * Covers all that is made of locks: Mutex, KeyedMutex, Semaphore, RwLock, and what is built on them. It costs
 * a stack trace for each acquire, and some work for each promise of the whole program: for tests and for the
 * search, not for production.
 *
 * Who awaits a promise that resolves with a hold is taken for its holder, and so is what it calls or starts
 * from there on; start what it will not await with {@link DeadlockDetector.detached}. What was got by
 * `tryAcquire`, or out of an array or object, is not followed: a circle through it is not found.
 */
export function detectDeadlocks(): DeadlockDetector {
  if (deadlockWatch instanceof DeadlockDetector) return deadlockWatch;
  const detector = new DeadlockDetector();
  setDeadlockWatch(detector);
  return detector;
}

export class DeadlockDetector implements DeadlockWatch {
  readonly #locks = new Map<Permits, LockState>();
  readonly #holdOf = new WeakMap<Held, Hold>();
  readonly #heldMeanwhile = new HeldMeanwhile();
  /** What else was held by those who gave it back. */
  readonly #heldBeside = new WeakMap<Hold, readonly Hold[]>();
  readonly #names = new WeakMap<Permits, string>();
  #lastNumber = 0;

  /** What is held and waited for now. */
  report(): LockReport[] {
    for (const lock of this.#locks.keys()) this.#prune(lock);
    return Array.from(this.#locks, ([lock, { holds, waits }]) => ({
      lock: this.#nameOf(lock),
      heldSince: Array.from(holds, ({ at }) => at.place),
      waitingAt: Array.from(waits.values(), ({ at }) => at.place),
    }));
  }

  /** Starts something that the running code will not await, and that has no part in what it holds. */
  detached<T>(task: () => T): T {
    return this.#heldMeanwhile.without(task);
  }

  /** Looks for deadlocks no longer. */
  stop(): void {
    if (deadlockWatch === this) setDeadlockWatch(undefined);
    this.#heldMeanwhile.stop();
    this.#locks.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** @internal */
  holds(permits: Permits, held: Held, waiter?: Waiter<Held, Want>): void {
    const waited = waiter && this.#locks.get(permits)?.waits.get(waiter);
    let hold = this.#holdOf.get(held);
    if (hold === undefined) {
      hold = { held, lock: permits, at: waited?.at ?? CallSite.ofCaller() };
      this.#holdOf.set(held, hold);
      this.#heldMeanwhile.follow(held, [hold]);
    }
    // Among what is over there, the waiter is removed too.
    this.#stateOf(permits).holds.add(hold);
  }

  /** @internal */
  waits(permits: Permits, waiter: Waiter<Held, Want>): LockstepError | undefined {
    const wait = this.#waitOf(permits, waiter);
    this.#stateOf(permits).waits.set(waiter, wait);
    // Who holds nothing keeps nobody waiting, and closes no circle.
    if (wait.heldMeanwhile.length === 0) return undefined;
    const circle = circleFrom(wait, this.#locks);
    if (circle === undefined) return undefined;
    return new LockstepError(
      "deadlock",
      describe(wait, circle, (lock) => this.#nameOf(lock)),
    );
  }

  /** @internal */
  returned(permits: Permits): void {
    this.#prune(permits);
  }

  /** @internal */
  replaced(before: Held, after: Held): void {
    const hold = this.#holdOf.get(before);
    if (hold === undefined) return;
    hold.held = after;
    this.#holdOf.set(after, hold);
    this.#heldMeanwhile.follow(after, [hold]);
  }

  /** @internal */
  joined(whole: Held, parts: readonly Held[]): void {
    this.#heldMeanwhile.follow(
      whole,
      parts.flatMap((part) => this.#holdOf.get(part) ?? []),
    );
  }

  #waitOf(lock: Permits, waiter: Waiter<Held, Want>): Wait {
    const { again } = waiter.request;
    const hold = again && this.#holdOf.get(again);
    if (hold !== undefined) {
      // The code that wakes one from its wait for a condition takes the mutex again for it, not for itself.
      const heldMeanwhile = this.#heldBeside.get(hold)?.filter(({ held }) => held.isHeld) ?? [];
      return { waiter, lock, at: hold.at, heldMeanwhile };
    }
    const at = CallSite.ofCaller();
    return { waiter, lock, at, heldMeanwhile: this.#heldMeanwhile.whileWaitingFor(lock, at) };
  }

  #stateOf(lock: Permits): LockState {
    let state = this.#locks.get(lock);
    if (state === undefined) {
      state = { holds: new Set(), waits: new Map() };
      this.#locks.set(lock, state);
    }
    // Who gives up does not say so.
    if (state.waits.size > lock.waiting()) removeEnded(state);
    return state;
  }

  #prune(lock: Permits): void {
    const state = this.#locks.get(lock);
    if (state === undefined) return;
    for (const hold of state.holds) {
      if (hold.held.isHeld) continue;
      state.holds.delete(hold);
      this.#heldBeside.set(hold, this.#heldMeanwhile.now());
      this.#heldMeanwhile.forget(hold);
    }
    if (state.waits.size > lock.waiting()) removeEnded(state);
    if (state.holds.size + state.waits.size === 0) this.#locks.delete(lock);
  }

  /** Names alone need not tell them apart. */
  #nameOf(lock: Permits): string {
    let name = this.#names.get(lock);
    if (name === undefined) {
      name = `${lock.what} (lock ${++this.#lastNumber})`;
      this.#names.set(lock, name);
    }
    return name;
  }
}

function removeEnded({ waits }: LockState): void {
  for (const waiter of waits.keys()) if (!waiter.isWaiting) waits.delete(waiter);
}

/** The circle in words: who waits for what, and where what it holds was taken. */
function describe(refused: Wait, circle: readonly Wait[], nameOf: (lock: Permits) => string): string {
  const tasks = circle.map(({ lock, at, heldMeanwhile }, index) => {
    const before = circle[(index + circle.length - 1) % circle.length]!;
    const wanted = heldMeanwhile.filter((hold) => hold.lock === before.lock);
    const holds = wanted.map((hold) => `\n     holds ${nameOf(hold.lock)}, taken\n${hold.at.toString()}`);
    return `  ${index + 1}. waits for ${nameOf(lock)}\n${at.toString()}${holds.join("")}`;
  });
  if (!circle.includes(refused)) {
    tasks.unshift(`  0. waits for ${nameOf(refused.lock)}, and so for 1\n${refused.at.toString()}`);
  }
  const advice =
    tasks.length === 1
      ? "this would wait for itself for ever, since it holds what it waits for; pass on what it holds:"
      : "this would wait for ever, since each of these waits for the next, and the last for the first; " +
        "take locks in one order, or all in one call:";
  return `${advice}\n${tasks.join("\n")}`;
}
