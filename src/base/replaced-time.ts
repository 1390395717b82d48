import { syncBuiltinESMExports } from "node:module";
import type { Clock, Timer } from "./clock.js";
import { LockstepError } from "./errors.js";

/** What stands in for the machine's time and chance. */
export interface Replacement {
  readonly clock: Clock;
  /** Calls back in another turn of the event loop, in its own good time. */
  soon(callback: () => void): Timer;
  /** From 0 up to but not including 1. */
  chance(): number;
  /** One that is unique. */
  uuid(): string;
}

type Callback = (...values: unknown[]) => void;
type Patch = readonly [owner: object, name: string, value: unknown];

const hrtime = process.hrtime;
const { setTimeout: setReal, setImmediate: setRealImmediate, Date: RealDate } = globalThis;
const { clearTimeout: clearReal, clearImmediate: clearRealImmediate } = globalThis;
const realRandom = Math.random;
const realUuid = crypto.randomUUID.bind(crypto);

/** Milliseconds of the machine's own monotonic clock, also while the globals are replaced. */
export function machineNow(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Whether the timers are the ones that were there at first, and not a test framework's fakes. */
export function areTimersReal(): boolean {
  return globalThis.setTimeout === setReal && globalThis.setImmediate === setRealImmediate;
}

/** The machine's own, also while the globals are replaced. Its timers keep no process alive. */
export const machine: Replacement = {
  clock: {
    now: machineNow,
    wallNow: () => RealDate.now(),
    after(delayMs, callback) {
      const timeout = setReal(callback, delayMs).unref();
      return {
        cancel: () => {
          clearReal(timeout);
        },
      };
    },
  },
  soon(callback) {
    const immediate = setRealImmediate(callback);
    return {
      cancel: () => {
        clearRealImmediate(immediate);
      },
    };
  },
  chance: () => realRandom(),
  uuid: () => realUuid(),
};

/** Whom the replaced globals ask, also those that somebody has kept beyond their time. */
let current: () => Replacement = () => machine;

/**
 * Until the returned function is called, all global sources of time and chance are the given one: `Date`,
 * `setTimeout` and its kin, `node:timers/promises`, `performance.now`, `Math.random`, `randomUUID`. Both
 * calls belong in one turn of the event loop: nobody else in the process must see it. Nobody must replace
 * them meanwhile: an assignment throws 'misuse', and so does the returned function if they are others then.
 */
export function replaceTime(by: () => Replacement): () => void {
  current = by;
  let isMeddledWith = false;
  const refuse = () => {
    isMeddledWith = true;
    throw meddlingError();
  };
  const before = patches.map(([owner, name]) => Object.getOwnPropertyDescriptor(owner, name));
  const put = (owner: object, name: string, descriptor: PropertyDescriptor | undefined) => {
    if (descriptor === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, descriptor);
  };
  for (const [owner, name, value] of patches) {
    put(owner, name, { get: () => value, set: refuse, configurable: true, enumerable: true });
  }
  syncBuiltinESMExports();
  return () => {
    for (const [index, [owner, name, value]] of patches.entries()) {
      if ((owner as Record<string, unknown>)[name] !== value) isMeddledWith = true;
      put(owner, name, before[index]);
    }
    syncBuiltinESMExports();
    current = () => machine;
    if (isMeddledWith) throw meddlingError();
  };
}

function meddlingError(): LockstepError {
  return new LockstepError(
    "misuse",
    "the program replaces timers, Date or chance, as fake timers do; leave that out: under the explorer " +
      "they are its own, and take no time",
  );
}

function patchesFor(by: () => Replacement): Patch[] {
  const now = () => by().clock.now();
  const timers = timersOf(by);
  return [
    ...Object.entries(timers).map(([name, value]): Patch => [globalThis, name, value]),
    ...Object.entries(timers).map(([name, value]): Patch => [timersModule, name, value]),
    ...Object.entries(promisesOf(by)).map(([name, value]): Patch => [timersPromises, name, value]),
    [globalThis, "Date", dateOf(() => by().clock.wallNow())],
    [performance, "now", now],
    [process, "hrtime", hrtimeOf(now)],
    [Math, "random", () => by().chance()],
    [crypto, "randomUUID", () => by().uuid()],
    [cryptoModule, "randomUUID", () => by().uuid()],
    [AbortSignal, "timeout", (delayMs: number) => abortAfter(by().clock, delayMs)],
  ];
}

const timersModule = process.getBuiltinModule("node:timers");
const cryptoModule = process.getBuiltinModule("node:crypto");
const timersPromises = process.getBuiltinModule("node:timers/promises");

function timersOf(by: () => Replacement) {
  const clear = (clearOther: (handle: never) => void) => (handle: unknown) => {
    if (handle instanceof Timeout) handle.close();
    else clearOther(handle as never);
  };
  return {
    setTimeout: (callback: Callback, delayMs = 1, ...values: unknown[]) =>
      new Timeout((call) => by().clock.after(atLeastOne(delayMs), call), callback, values, false),
    setInterval: (callback: Callback, delayMs = 1, ...values: unknown[]) =>
      new Timeout((call) => by().clock.after(atLeastOne(delayMs), call), callback, values, true),
    setImmediate: (callback: Callback, ...values: unknown[]) =>
      new Timeout((call) => by().soon(call), callback, values, false),
    clearTimeout: clear(clearReal),
    clearInterval: clear(clearReal),
    clearImmediate: clear(clearRealImmediate),
  };
}

/** As Node has it, which takes nonsense and what is too long for the shortest delay. */
function atLeastOne(delayMs: number): number {
  return delayMs >= 1 && delayMs <= 2 ** 31 - 1 ? Math.trunc(delayMs) : 1;
}

/** In the shape of Node's own. */
class Timeout {
  readonly #start: (call: () => void) => Timer;
  readonly #call: () => void;
  #timer: Timer;

  constructor(
    start: (call: () => void) => Timer,
    callback: Callback,
    values: unknown[],
    isRepeated: boolean,
  ) {
    this.#start = start;
    this.#call = () => {
      if (isRepeated) this.refresh();
      callback(...values);
    };
    this.#timer = start(this.#call);
  }

  /** By setting this Node's own `clearTimeout` clears it. */
  get _onTimeout(): (() => void) | null {
    return this.#call;
  }

  set _onTimeout(_nothing: (() => void) | null) {
    this.close();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    this.#timer.cancel();
    this.#timer = this.#start(this.#call);
    return this;
  }

  close(): this {
    this.#timer.cancel();
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function promisesOf(by: () => Replacement) {
  const wait =
    (start: (call: () => void, delayMs: number) => Timer) =>
    <T>(delayMs: number, value: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const onAbort = () => {
          timer.cancel();
          reject(signal?.reason);
        };
        const timer = start(() => {
          signal?.removeEventListener("abort", onAbort);
          resolve(value);
        }, delayMs);
        signal?.addEventListener("abort", onAbort, { once: true });
      });
  const sleep = wait((call, delayMs) => by().clock.after(atLeastOne(delayMs), call));
  const turn = wait((call) => by().soon(call));
  return {
    setTimeout: (delayMs = 1, value?: unknown, options?: { signal?: AbortSignal }) =>
      sleep(delayMs, value, options),
    setImmediate: (value?: unknown, options?: { signal?: AbortSignal }) => turn(0, value, options),
    setInterval: async function* (delayMs = 1, value?: unknown, options?: { signal?: AbortSignal }) {
      for (;;) yield await sleep(delayMs, value, options);
    },
    scheduler: { wait: (delayMs: number) => sleep(delayMs, undefined), yield: () => turn(0, undefined) },
  };
}

/** A `Date` that is the real one in all but what time it is. */
function dateOf(now: () => number): DateConstructor {
  const read = { now };
  return new Proxy(RealDate, {
    get: (target, name, proxy) => (name === "now" ? read.now : (Reflect.get(target, name, proxy) as unknown)),
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length > 0 ? values : [now()], newTarget) as Date,
    apply: (target) => new target(now()).toString(),
  });
}

const patches = patchesFor(() => current());

function hrtimeOf(now: () => number) {
  const read = (since?: [number, number]): [number, number] => {
    const nanoseconds = BigInt(Math.round(now() * 1e6)) - (since ? nanosecondsOf(since) : 0n);
    return [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
  };
  return Object.assign(read, { bigint: () => nanosecondsOf(read()) });
}

function nanosecondsOf([seconds, nanoseconds]: [number, number]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function abortAfter(clock: Clock, delayMs: number): AbortSignal {
  const controller = new AbortController();
  clock.after(delayMs, () => {
    controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  });
  return controller.signal;
}
