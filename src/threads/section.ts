import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import type { Held } from "../sync/held.js";

/** Locks, runs the section, releases, whatever the section does. */
export function runHoldingSync<H extends Held, T>(lock: () => H, section: (held: H) => T): T {
  if (typeof section !== "function") {
    throw new LockstepError("bad-input", "runSync needs the section to run, as in runSync(() => { … })");
  }
  const held = lock();
  let result: T;
  // Not `using`, which costs as much as the lock where a compiler has to spell it out.
  try {
    result = section(held);
  } finally {
    held[Symbol.dispose]();
  }
  if (!isPromise(result)) return result;
  // Its failure is told here; nobody shall be told of it twice.
  void Promise.resolve(result).catch(() => undefined);
  throw new LockstepError(
    "misuse",
    "the section given to runSync goes on after it has returned; use `await run(async () => { … })`",
  );
}
