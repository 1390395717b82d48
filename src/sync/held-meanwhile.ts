import { asyncHooks } from "../base/async-hooks.js";
import { CallSite } from "./call-site.js";
import type { Held } from "./held.js";
import type { Permits } from "./permits.js";
import type { Hold } from "./wait-graph.js";

/** Some code that runs, or will run when what it awaits is there. */
interface Continuation {
  /** What is held by the code that it goes on from. */
  readonly inherited: readonly Hold[];
  readonly id: number;
  /** The promise that it awaits, if any. */
  readonly awaited: number;
  /** Its own number, after the last of those by which it came about. */
  readonly way: readonly number[];
}

const nothing: readonly never[] = [];

/**
 * Knows what the running code holds, by one rule: who awaits a promise that resolves with a hold, holds it
 * from there on. That is so for `await mutex.acquire()`, and as well for a function of the program's own that
 * gives back what it acquired; while who merely starts such a function holds nothing.
 *
 * `AsyncLocalStorage` cannot tell the two apart: what a function enters before its first `await` is entered
 * for its caller too.
 */
export class HeldMeanwhile {
  /** By their async resource; what an `await` goes on with is one. */
  readonly #continuations = new WeakMap<object, Continuation>();
  /** What the promises of these numbers resolved with, as long as that is held. */
  readonly #carried = new Map<number, readonly Hold[]>();
  readonly #carriers = new WeakMap<Hold, number[]>();
  /** What inherited the hold, and has yet to run. */
  readonly #toRun = new WeakMap<Hold, Set<Continuation>>();
  readonly #hooks = asyncHooks();
  readonly #hook: { disable(): unknown };
  /** What the promise that is being resolved right now is resolved with, and where that is. */
  #passed: { readonly holds: readonly Hold[]; readonly at: CallSite } | undefined;

  constructor() {
    this.#hook = this.#hooks
      .createHook({
        init: (id, type, trigger, resource) => {
          this.#passed = undefined;
          this.#begin(resource, id, type === "PROMISE" ? trigger : none);
        },
        before: () => {
          const continuation = this.#continuations.get(this.#hooks.executionAsyncResource());
          for (const hold of continuation?.inherited ?? nothing) this.#toRun.get(hold)?.delete(continuation!);
        },
        promiseResolve: (id) => {
          const passed = this.#passed;
          this.#passed = undefined;
          // The program too may have asked for the `then`, before it came here to resolve a promise.
          if (passed?.at.isOneStepWith(CallSite.ofCaller()) === true) this.#carry(id, passed.holds);
        },
      })
      .enable();
  }

  /** What the running code holds, or has held. */
  now(): readonly Hold[] {
    const resource = this.#hooks.executionAsyncResource();
    const continuation = this.#continuations.get(resource);
    if (continuation === undefined) return nothing;
    const { inherited, awaited } = continuation;
    const got = this.#carried.get(awaited);
    if (got === undefined) return inherited;
    const kept = inherited.filter((hold) => !got.some((one) => one === hold || isHeldNoMoreAt(one, hold)));
    const held = [...kept, ...got];
    this.#continuations.set(resource, { ...continuation, inherited: held, awaited: none });
    return held;
  }

  /** What the running code keeps from others while it waits there for the lock. */
  whileWaitingFor(lock: Permits, at: CallSite): readonly Hold[] {
    return this.now().filter(
      (hold) => !isHeldNoMoreAt({ lock, at }, hold) || (hold.held.isHeld && this.#isKeptAt(at, hold)),
    );
  }

  /** From now on, who awaits a promise that resolves with `held` has these. */
  follow(held: Held, holds: readonly Hold[]): void {
    // A promise asks what it is resolved with for a `then`, and says at once that it is resolved.
    const then = { configurable: true, get: () => void (this.#passed = { holds, at: CallSite.ofCaller() }) };
    Object.defineProperty(held, "then", then);
  }

  /** It is held no longer. */
  forget(hold: Hold): void {
    for (const id of this.#carriers.get(hold) ?? []) this.#carried.delete(id);
    this.#carriers.delete(hold);
    this.#toRun.delete(hold);
  }

  /** Runs what holds nothing that the running code holds. */
  without<T>(task: () => T): T {
    const resource = new this.#hooks.AsyncResource("LOCKSTEP_DETACHED");
    this.#continuations.set(resource, { inherited: nothing, id: none, awaited: none, way: nothing });
    return resource.runInAsyncScope(task);
  }

  stop(): void {
    this.#hook.disable();
    this.#carried.clear();
  }

  #begin(resource: object, id: number, awaited: number): void {
    const inherited = this.now();
    if (inherited.length === 0) {
      this.#continuations.set(resource, { inherited, id, awaited, way: nothing });
      return;
    }
    const before = this.#continuations.get(this.#hooks.executionAsyncResource())?.way ?? nothing;
    const continuation = { inherited, id, awaited, way: [...before.slice(1 - longestWay), id] };
    this.#continuations.set(resource, continuation);
    // Nothing runs when a promise is resolved that was made out of nothing: it is those who await it that do.
    if (awaited === this.#hooks.executionAsyncId()) return;
    for (const hold of inherited) {
      if (!hold.held.isHeld) continue;
      const toRun = this.#toRun.get(hold);
      if (toRun === undefined) this.#toRun.set(hold, new Set([continuation]));
      else toRun.add(continuation);
    }
  }

  /**
   * Whether it is held still by who comes to the place where it was taken, though it may look like a loop:
   * a function was called twice that takes the lock for its caller, and all that could give it back awaits
   * the second call. Only of one who has all that there is: permits are handed to others more often.
   */
  #isKeptAt(at: CallSite, hold: Hold): boolean {
    const toRun = this.#toRun.get(hold);
    if (toRun === undefined || toRun.size === 0 || hold.held.weight < hold.lock.total) return false;
    const here = this.#continuations.get(this.#hooks.executionAsyncResource())?.way ?? nothing;
    const steps: number[] = [...here];
    for (const { id, awaited } of toRun) {
      // What a call starts comes about after the promise of the call, and before the `await` of that promise.
      if (!steps.some((step) => awaited <= step && step < id)) return false;
      // Who awaits this one awaits the second call too.
      steps.push(id);
    }
    return at.isAwaitedAfter(hold.at);
  }

  #carry(id: number, given: readonly Hold[]): void {
    // What has ended is not told to be forgotten a second time.
    const holds = given.filter(({ held }) => held.isHeld);
    if (holds.length === 0) return;
    this.#carried.set(id, holds);
    for (const hold of holds) {
      const carriers = this.#carriers.get(hold);
      if (carriers === undefined) this.#carriers.set(hold, [id]);
      else carriers.push(id);
    }
  }
}

/** No promise has this number; all have less. */
const none = Infinity;
/** So many steps are remembered of how something came about: a loop may come about by ever more. */
const longestWay = 32;

/**
 * Whether it is over when the code comes to that place, or others will end it. A loop that comes round to
 * where it took it, to take the same lock again, has left it to others to give it back: else it would never
 * go on. Most loops that hand out the permits of a semaphore are like that.
 */
function isHeldNoMoreAt(next: Pick<Hold, "lock" | "at">, { held, lock, at }: Hold): boolean {
  return !held.isHeld || (lock === next.lock && next.at.isOneLoopWith(at));
}
