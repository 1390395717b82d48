import { Budget } from "../budget.js";
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
/** So much effort (see `Transitions`) is always spent on a proof, and so much and so long at most. */
const leastEffort = 20_000;
const mostEffort = 400_000;
const mostMs = 700;

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
 *
 * Where that is too much to find out, it is told of all that was called before that answer, or of all.
 */
export function smallestProof<State>(part: KeyPart, model: Model<State>, anomaly: Anomaly): Anomaly {
  if (!anomaly.attempt) return anomaly;
  const operations = part.operations.filter(({ outcome }) => outcome !== "fail");
  if (operations.length > operationMax) return anomaly;
  const over = Math.min(...anomaly.attempt.stuck.map(({ operation }) => operation.returned));
  const called = operations.filter(({ invoked }) => invoked <= over);
  const budget = new Budget({ timeoutMs: mostMs });
  // To judge part of it takes about as long, or it takes too long.
  const effort = leastEffort + 2 * effortToProve(called, model);
  const isPossible = (some: readonly Operation[]) => new DepthFirst(new Part(some, model)).run(effort);
  const isProof = (some: readonly Operation[], all: readonly Operation[]) => {
    const kept = new Set(some);
    return isPossible(all.map((each) => (kept.has(each) ? each : pending(each)))) === false;
  };
  const isProofByThen = (some: readonly Operation[]) => {
    const answered = some.filter(({ returned }) => returned <= over);
    if (!isProof(answered, called)) return false;
    return isPossible(some.map((each) => (each.returned < over ? each : pending(each)))) === true;
  };
  const told = isProofByThen(called)
    ? fewest(called, isProofByThen, budget)
    : fewest(operations, (some) => isProof(some, operations), budget);
  return explained(told, model) ?? explained(called, model) ?? { ...anomaly, operations };
}

/** Undefined if they prove nothing, as far as one can see. */
function explained<State>(operations: readonly Operation[], model: Model<State>): Anomaly | undefined {
  const part = new Part(operations, model);
  part.forgetOutlook();
  const search = new DepthFirst(part);
  return search.run(mostEffort) === false ? { ...explainStuck(part, model, search), operations } : undefined;
}

function effortToProve<State>(operations: readonly Operation[], model: Model<State>): number {
  const part = new Part(operations, model);
  new DepthFirst(part).run(mostEffort);
  return part.transitions.effort;
}

function pending(operation: Operation): Operation {
  return { ...operation, result: undefined, outcome: "unknown", returned: Infinity };
}
