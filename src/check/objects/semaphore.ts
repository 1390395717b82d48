import { LockstepError } from "../../base/errors.js";
import { shown } from "../../base/shown.js";
import { describe, type Operation } from "../history.js";
import { permitOrder } from "../linearizability/permit-order.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

const calls = new KnownCalls(
  "semaphore",
  { acquire: [[], ["permits"]], release: [[], ["permits"]] },
  { takesKey: false },
);

/**
 * So many permits: `acquire()` and `release()` of one, `acquire(permits)` and `release(permits)` of several.
 * An acquire that answers false found too few. Whoever likes may release, but no more than are taken.
 */
export function semaphore(permits: number): Model<number> {
  if (!(Number.isInteger(permits) && permits > 0)) {
    throw new LockstepError("bad-input", `a semaphore has 1 permit or more, not ${shown(permits)}`);
  }
  return {
    name: "semaphore",
    init: permits,
    step(free, operation) {
      const weight = weightOf(operation);
      if (isDenied(operation)) return free < weight ? free : refused;
      const after = operation.name === "acquire" ? free - weight : free + weight;
      if (after >= 0 && after <= permits) return after;
      return operation.outcome === "unknown" ? free : refused;
    },
    shortcut: (part) => permitOrder(part, permits, weightOf),
    stateIdentity: (free) => free,
    callIdentity: (operation) =>
      calls.identity(operation, isDenied(operation) ? "denied" : operation.outcome),
    effect: (operation) => (isDenied(operation) ? "reads" : undefined),
    show: (free) => `${free} of ${permits} permits free`,
  };
}

function weightOf(operation: Operation): number {
  calls.first(operation);
  const [weight = 1] = operation.args;
  if (typeof weight === "number" && Number.isInteger(weight) && weight > 0) return weight;
  throw new LockstepError("bad-input", `permits are counted from 1 up; not so ${describe(operation)}`);
}

function isDenied({ name, result, outcome }: Operation): boolean {
  return name === "acquire" && outcome === "ok" && result === false;
}
