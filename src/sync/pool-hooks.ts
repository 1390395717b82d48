import { LockstepError } from "../base/errors.js";
import { detached } from "./deadlock-watch.js";
import type { PoolHook, PoolPlan } from "./pool-options.js";

/** So many errors are kept for the end, when there is no `onError` to hear of them. */
const mostKept = 16;

/**
 * Calls what the user of a pool gave it. Nothing that a hook does gets past this: it may throw, reject, or
 * never end, and yet there is an answer in time. What comes without a promise is answered without a promise.
 */
export class PoolHooks<T> {
  readonly #plan: PoolPlan<T>;
  /** Of those that are being made. */
  readonly #aborts = new Set<AbortController>();
  readonly #kept: unknown[] = [];

  constructor(plan: PoolPlan<T>) {
    this.#plan = plan;
  }

  /** Throws or rejects when none can be made. One that is made too late is given to `onLate`. */
  make(onLate: (resource: T) => void): T | Promise<T> {
    const abort = new AbortController();
    this.#aborts.add(abort);
    let made: T | PromiseLike<T>;
    try {
      made = detached(() => this.#plan.make(abort.signal));
    } catch (error) {
      this.#aborts.delete(abort);
      throw error;
    }
    if (!isPromise(made)) {
      this.#aborts.delete(abort);
      return made;
    }
    const onTimeout = (error: LockstepError) => {
      abort.abort(error);
    };
    return this.#inTime("make", made, onTimeout, onLate).finally(() => this.#aborts.delete(abort));
  }

  /** Lets those who make something know that nobody wants it any more. */
  abortMaking(reason: unknown): void {
    for (const abort of this.#aborts) abort.abort(reason);
  }

  get hasCheck(): boolean {
    return this.#plan.check !== undefined;
  }

  /** Whether it is good. */
  check(resource: T): boolean | Promise<boolean> {
    const { check } = this.#plan;
    if (check === undefined) return true;
    return this.#answer("check", () => check(resource), mustBeBoolean);
  }

  /** Whether that went well. */
  recycle(resource: T): boolean | Promise<boolean> {
    const { recycle } = this.#plan;
    if (recycle === undefined) return true;
    return this.#answer("recycle", () => recycle(resource), always);
  }

  /** Whether that went well. */
  destroy(resource: T): boolean | Promise<boolean> {
    const { destroy } = this.#plan;
    if (destroy === undefined) return true;
    return this.#answer("destroy", () => destroy(resource), always);
  }

  /** Passes on an error that no caller is told. */
  report(error: unknown, hook: PoolHook): void {
    const { onError } = this.#plan;
    if (onError !== undefined) {
      // Later, so that it does not come in between, and as a promise, so that all can see if it throws.
      void Promise.resolve().then(() => detached(() => onError(error, hook)));
      return;
    }
    // One that was made or checked in vain does no harm: the next one is told if it goes on like that.
    if (hook === "make" || hook === "check") return;
    if (this.#kept.push(error) > mostKept) this.#kept.shift();
  }

  /** What to end with, when there was trouble that nobody heard of yet. */
  get unheard(): AggregateError | undefined {
    if (this.#kept.length === 0) return undefined;
    return new AggregateError(
      this.#kept,
      `recycle or destroy failed in ${this.#plan.what}, for the reasons in \`errors\`; ` +
        `give it an \`onError\` to hear of each as it happens`,
    );
  }

  #answer<R>(
    hook: PoolHook,
    call: () => R | PromiseLike<R>,
    read: (result: R) => boolean,
  ): boolean | Promise<boolean> {
    const onFailed = (error: unknown) => {
      this.report(error, hook);
      return false;
    };
    try {
      const result = detached(call);
      if (!isPromise(result)) return read(result);
      return this.#inTime(hook, result).then(read).catch(onFailed);
    } catch (error) {
      return onFailed(error);
    }
  }

  /** The result, or 'timeout' if it does not come in time. */
  #inTime<R>(
    hook: PoolHook,
    result: PromiseLike<R>,
    onTimeout?: (error: LockstepError) => void,
    onLate?: (late: R) => void,
  ): Promise<R> {
    const { clock, what, hookTimeoutMs } = this.#plan;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = clock.after(hookTimeoutMs, () => {
        isLate = true;
        const error = new LockstepError("timeout", `${hook} of ${what} took longer than ${hookTimeoutMs} ms`);
        reject(error);
        onTimeout?.(error);
      });
      const onResult = (value: R) => {
        timer.cancel();
        if (isLate) onLate?.(value);
        else resolve(value);
      };
      const onFailed = (error: unknown) => {
        timer.cancel();
        reject(error);
      };
      Promise.resolve(result).then(onResult, onFailed);
    });
  }
}

function isPromise<R>(result: R | PromiseLike<R>): result is PromiseLike<R> {
  return typeof (result as { then?: unknown } | null | undefined)?.then === "function";
}

function mustBeBoolean(good: boolean): boolean {
  if (typeof good === "boolean") return good;
  throw new LockstepError("bad-input", `check must say true or false, not ${String(good)}`);
}

function always(): boolean {
  return true;
}
