import type { Operation } from "../history.js";
import type { Model } from "../model.js";
import { fewest } from "../shrink.js";
import type { Anomaly } from "../verdict.js";
import { DepthFirst } from "./depth-first.js";
import { explainStuck } from "./explain-stuck.js";
import type { KeyPart } from "./key-parts.js";
import { Part } from "./part.js";

/** Beyond that, to judge it again and again takes too long. */
const operationMax = 1_000;
const stepsToJudge = 5_000;
/** So many operations are judged in all, those that are judged again counted again. */
const effort = 200_000;

/**
 * The anomaly that a search has found, told of as few operations as will do.
 *
 * An operation can be spared if there is no order even if nobody knows its outcome: then whatever it did, and
 * also had it never been, there is none. So what is wrong with those that are left is wrong with all, and
 * alone they break the promise, too.
 *
 * Where that is enough, only what was called before the answer is told that no order gets to, and of what had
 * no answer by then not what came of it. Then those are kept that the others rest on, as a write is whose
 * value was read: without the answer an order of those that are left must be possible.
 */
export function smallestProof<State>(part: KeyPart, model: Model<State>, anomaly: Anomaly): Anomaly {
  if (!anomaly.attempt) return anomaly;
  const operations = part.operations.filter(({ outcome }) => outcome !== "fail");
  if (operations.length > operationMax) return anomaly;
  const over = Math.min(...anomaly.attempt.stuck.map(({ operation }) => operation.returned));
  const called = operations.filter(({ invoked }) => invoked < over);
  let judged = 0;
  const isPossible = (some: readonly Operation[]) => {
    judged += some.length;
    return new DepthFirst(new Part(some, model)).run(stepsToJudge);
  };
  const isProof = (some: readonly Operation[], all: readonly Operation[]) => {
    const kept = new Set(some);
    return isPossible(all.map((each) => (kept.has(each) ? each : pending(each)))) === false;
  };
  const isProofByThen = (some: readonly Operation[]) => {
    const answered = some.filter(({ returned }) => returned <= over);
    if (!isProof(answered, called)) return false;
    return isPossible(some.map((each) => (each.returned < over ? each : pending(each)))) === true;
  };
  const budget = {
    get isSpent() {
      return judged > effort;
    },
  };
  const told = isProofByThen(called)
    ? fewest(called, isProofByThen, budget)
    : fewest(operations, (some) => isProof(some, operations), budget);
  return explained(told, model) ?? anomaly;
}

/** Undefined if they prove nothing, as far as one can see. */
function explained<State>(operations: readonly Operation[], model: Model<State>): Anomaly | undefined {
  const part = new Part(operations, model);
  part.forgetOutlook();
  const search = new DepthFirst(part);
  return search.run(stepsToJudge) === false
    ? { ...explainStuck(part, model, search), operations }
    : undefined;
}

function pending(operation: Operation): Operation {
  return { ...operation, result: undefined, outcome: "unknown", returned: Infinity };
}
