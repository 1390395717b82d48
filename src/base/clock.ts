/** A pending timer of a {@link Clock}. */
export interface Timer {
  cancel(): void;
}

/** All that Lockstep knows of time, so that a test can hold it in its hand. */
export interface Clock {
  /** Milliseconds, with fractions, that only rise: never a wall clock, so never set back. */
  now(): number;
  /** Wall-clock milliseconds since 1970: to show to people, never to decide by. */
  wallNow(): number;
  /** Calls back once, not before `delayMs`. A `background` timer does not keep the process alive. */
  after(delayMs: number, callback: () => void, background?: "background"): Timer;
}

/** Node's own timers misread a longer delay as no delay at all. */
const longestTimerMs = 2 ** 31 - 1;

/** In a browser there is no `process`. */
const hasProcess = "process" in globalThis;

/**
 * The machine's monotonic clock. `process.hrtime` counts from one origin for every process of a machine, so
 * that processes that share a store on one host can compare its readings.
 */
export const systemClock: Clock = {
  now() {
    if (!hasProcess) return performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  wallNow: () => Date.now(),
  after(delayMs, callback, background) {
    if (delayMs > longestTimerMs) return inStages(delayMs, callback, background);
    // Rounded up: a timer that fires early would find its moment not yet come.
    const timeout = setTimeout(callback, Math.max(0, Math.ceil(delayMs)));
    if (background) timeout.unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  },
};

/** One timer after the other, for a delay that is too long for one. */
function inStages(delayMs: number, callback: () => void, background: "background" | undefined): Timer {
  const next = () => {
    timer = systemClock.after(delayMs - longestTimerMs, callback, background);
  };
  let timer = systemClock.after(longestTimerMs, next, background);
  return {
    cancel: () => {
      timer.cancel();
    },
  };
}
