import { LockstepError } from "../base/errors.js";
import type { CallSite } from "./call-site.js";
import type { Held } from "./held.js";
import type { Permits } from "./permits.js";
import type { Hold } from "./wait-graph.js";

/** Some code that runs, or will run when what it awaits is there. */
interface Continuation {
  /** What is held by the code that it goes on from. */
  readonly inherited: readonly Hold[];
  /** The promise that it awaits, if any. */
  readonly awaited: number;
}

const nothing: readonly Hold[] = [];

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
  readonly #hooks = asyncHooks();
  readonly #hook: { disable(): unknown };
  /** What the promise that is being resolved right now is resolved with. */
  #passed: readonly Hold[] | undefined;

  constructor() {
    this.#hook = this.#hooks
      .createHook({
        init: (_id, _type, awaited, resource) => {
          this.#passed = undefined;
          this.#continuations.set(resource, { inherited: this.now(), awaited });
        },
        promiseResolve: (id) => {
          if (this.#passed !== undefined) this.#carry(id, this.#passed);
          this.#passed = undefined;
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
    this.#continuations.set(resource, { inherited: held, awaited: none });
    return held;
  }

  /** What the running code keeps from others while it waits there for the lock. */
  whileWaitingFor(lock: Permits, at: CallSite): readonly Hold[] {
    return this.now().filter((hold) => !isHeldNoMoreAt({ lock, at }, hold));
  }

  /** From now on, who awaits a promise that resolves with `held` has these. */
  follow(held: Held, holds: readonly Hold[]): void {
    // A promise asks what it is resolved with for a `then`, and says at once that it is resolved.
    const then = { configurable: true, get: () => void (this.#passed = holds) };
    Object.defineProperty(held, "then", then);
  }

  /** It is held no longer. */
  forget(hold: Hold): void {
    for (const id of this.#carriers.get(hold) ?? []) this.#carried.delete(id);
    this.#carriers.delete(hold);
  }

  /** Runs what holds nothing that the running code holds. */
  without<T>(task: () => T): T {
    const resource = new this.#hooks.AsyncResource("LOCKSTEP_DETACHED");
    this.#continuations.set(resource, { inherited: nothing, awaited: none });
    return resource.runInAsyncScope(task);
  }

  stop(): void {
    this.#hook.disable();
    this.#carried.clear();
  }

  #carry(id: number, holds: readonly Hold[]): void {
    this.#carried.set(id, holds);
    for (const hold of holds) {
      const carriers = this.#carriers.get(hold);
      if (carriers === undefined) this.#carriers.set(hold, [id]);
      else carriers.push(id);
    }
  }
}

/** No promise has this number. */
const none = -1;

/**
 * Whether it is over when the code comes to that place, or others will end it. A loop that comes round to
 * where it took it, to take the same lock again, has left it to others to give it back: else it would never
 * go on. Most loops that hand out the permits of a semaphore are like that.
 */
function isHeldNoMoreAt(next: Pick<Hold, "lock" | "at">, { held, lock, at }: Hold): boolean {
  return !held.isHeld || (lock === next.lock && next.at.isOneLoopWith(at));
}

function asyncHooks() {
  // Not imported, so that all the rest of this folder can be loaded where there is no such module.
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  if (hooks === undefined) {
    throw new LockstepError(
      "unsupported",
      "deadlocks are detected by async hooks; that needs Node 20.16 or later",
    );
  }
  return hooks;
}
