import { LockstepError } from "../base/errors.js";
import { isPromise } from "../base/is-promise.js";
import type { Run } from "./run.js";

/** Fails the run unless all that is to hold after each step does. */
export function checkInvariants(run: Run): void {
  for (const holds of run.invariants) {
    try {
      const answer = holds();
      if (isPromise(answer) || typeof answer === "function") throw lateInvariant();
      if (answer === false) throw new Error(`the invariant ${nameOf(holds)}does not hold`);
    } catch (error) {
      run.fail("broken invariant", error);
    }
  }
}

/** Unless it was named by where it was given. */
function nameOf({ name }: () => unknown): string {
  return name === "" || name === "invariant" ? "" : `${name} `;
}

function lateInvariant(): LockstepError {
  const advice = "let it not be async, nor return a function";
  return new LockstepError("bad-input", `an invariant must say at once whether it holds: ${advice}`);
}
