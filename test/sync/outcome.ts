// What the tests of this folder see of those who wait.
import { isLockstepError, type Clock } from "lockstep/base";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";

/** What became of a promise so far: "waits", "done", the code of its error, or the reason of its abort. */
export interface Outcome<T> {
  readonly promise: Promise<T>;
  is: string;
  value?: T;
  error?: unknown;
}

export function follow<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { promise, is: "waits" };
  promise.then(
    (value) => Object.assign(outcome, { is: "done", value }),
    (error: unknown) => Object.assign(outcome, { is: wordFor(error), error }),
  );
  return outcome;
}

function wordFor(error: unknown): string {
  return isLockstepError(error) ? error.code : String(error);
}

/** The code of what a call throws or rejects with. */
export async function refusal(call: () => unknown): Promise<string> {
  try {
    await call();
    return "none";
  } catch (error) {
    return wordFor(error);
  }
}

/** Every promise chain that can go on by itself has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function abortable() {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: (reason: string) => {
      controller.abort(reason);
    },
  };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** How many bytes are in use, once what is garbage is gone. */
async function heapUsed(): Promise<number> {
  // More than once: what a finalizer lets go of is garbage only then.
  for (let i = 0; i < 3; i++) {
    await settled();
    collect();
  }
  return process.memoryUsage().heapUsed;
}

/**
 * That a round leaves fewer than so many bytes behind. What leaks does so in every round; caches, compiled
 * code and late finalizers come once, so one round of several that leaves nothing is proof enough.
 */
export async function expectNothingLeft(bytes: number, round: () => Promise<void>): Promise<void> {
  let least = Infinity;
  for (let attempt = 0; attempt < 5 && least >= bytes; attempt++) {
    const before = await heapUsed();
    await round();
    least = Math.min(least, (await heapUsed()) - before);
  }
  expect(least).toBeLessThan(bytes);
}

/** Its timers fire when they are told to, in the middle of a turn. */
export class HandClock implements Clock {
  readonly #timers = new Map<number, () => void>();

  now(): number {
    return 0;
  }

  wallNow(): number {
    return 0;
  }

  after(delayMs: number, callback: () => void): { cancel: () => void } {
    this.#timers.set(delayMs, callback);
    return { cancel: () => void this.#timers.delete(delayMs) };
  }

  /** Fires the timer of this delay, unless it was cancelled. */
  fire(delayMs: number): void {
    const callback = this.#timers.get(delayMs);
    this.#timers.delete(delayMs);
    callback?.();
  }

  get pending(): number {
    return this.#timers.size;
  }
}

/**
 * Every order of the events, each with every choice of where promises may go on in between: at once after an
 * event, or only when more has happened in the same turn.
 */
export function* interleavings<E>(events: readonly E[]): Generator<{ order: E[]; pauses: boolean[] }> {
  for (const order of orders(events)) {
    for (let bits = 0; bits < 2 ** (events.length - 1); bits++) {
      yield { order, pauses: events.map((_, index) => (bits & (1 << index)) !== 0) };
    }
  }
}

function* orders<E>(events: readonly E[]): Generator<E[]> {
  if (events.length === 0) yield [];
  for (const [index, first] of events.entries()) {
    for (const rest of orders(events.toSpliced(index, 1))) yield [first, ...rest];
  }
}

/** Lets the events happen in this order; promises go on where there is a pause. */
export async function happen({
  order,
  pauses,
}: {
  order: readonly (() => void)[];
  pauses: readonly boolean[];
}): Promise<void> {
  for (const [index, event] of order.entries()) {
    event();
    if (pauses[index]) for (let tick = 0; tick < 10; tick++) await Promise.resolve();
  }
  await settled();
}
