import { LockstepError } from "../../base/errors.js";
import { describe, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

const calls = new KnownCalls("counter", { add: [["amount"]], increment: [[]], decrement: [[]], read: [[]] });

/**
 * A number that starts at 0: `add(amount)`, `increment()`, `decrement()`, and `read() → number`; each may
 * have a key before all else. If a change answers a number, it is the one after the change.
 */
export function counter(): Model<number> {
  return {
    name: "counter",
    init: 0,
    step(count, operation) {
      const { name, result, outcome } = operation;
      if (name === "read") return outcome === "unknown" || isSame(count, result) ? count : refused;
      const after = count + amountOf(operation);
      return typeof result === "number" && result !== after ? refused : after;
    },
    partition: (operation) => calls.key(operation),
    stateIdentity: (count) => count,
    callIdentity: (operation) => calls.identity(operation, operation.result ?? null),
    effect: ({ name }) => (name === "read" ? "reads" : undefined),
  };
}

function amountOf(operation: Operation): number {
  const first = calls.first(operation);
  if (operation.name === "increment") return 1;
  if (operation.name === "decrement") return -1;
  const amount = operation.args[first];
  if (typeof amount === "number" && Number.isFinite(amount)) return amount;
  throw new LockstepError("bad-input", `a counter adds numbers; not so ${describe(operation)}`);
}
