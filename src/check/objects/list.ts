import { LockstepError } from "../../base/errors.js";
import { describe, valueText, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

const calls = new KnownCalls("list", { append: [["value"]], read: [[]] });

type Values = readonly unknown[];

/** What is only ever added to: `append(value)` and `read() → all values in order`, with or without a key. */
export function list(): Model<Values> {
  return {
    name: "list",
    init: [],
    step(values, operation) {
      const { name, args, outcome } = operation;
      const first = calls.first(operation);
      if (name === "append") return [...values, args[first]];
      return outcome === "unknown" || isEqual(values, valuesOf(operation)) ? values : refused;
    },
    partition: (operation) => calls.key(operation),
    callIdentity: (operation) => calls.identity(operation, answerOf(operation)),
    effect: ({ name }) => (name === "read" ? "reads" : undefined),
    show: (values) => valueText(values),
  };
}

function isEqual(values: Values, others: Values): boolean {
  return values.length === others.length && values.every((each, index) => isSame(each, others[index]));
}

function valuesOf(operation: Operation): Values {
  const { result } = operation;
  if (result === undefined || result === null) return [];
  if (Array.isArray(result)) return result as unknown[];
  throw new LockstepError("bad-input", `a list reads as an array; not so ${describe(operation)}`);
}

function answerOf(operation: Operation): unknown {
  if (operation.name === "append") return undefined;
  return operation.outcome === "unknown" ? "?" : valuesOf(operation);
}
