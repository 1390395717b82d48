import { valueText, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { stackShortcut } from "../linearizability/stack-shortcut.js";
import { KnownCalls } from "./known-calls.js";

const stackCalls = new KnownCalls("stack", { push: [["value"]], pop: [[]] });

/**
 * Last in, first out: `push(value)` and `pop() → value`, or nothing if it is empty; each may have a key
 * before all else.
 */
export function stack(): Model<readonly unknown[]> {
  return {
    name: "stack",
    init: [],
    step(values, operation) {
      const { name, args, result, outcome } = operation;
      const first = stackCalls.first(operation);
      if (name === "push") return [...values, args[first]];
      if (outcome === "ok" && !isSame(values.at(-1), result)) return refused;
      return values.length === 0 ? values : values.slice(0, -1);
    },
    partition: (operation) => stackCalls.key(operation),
    shortcut: stackShortcut,
    callIdentity: (operation) => stackCalls.identity(operation, answerOf(operation)),
    show: (values) => valueText(values),
  };
}

function answerOf({ name, result, outcome }: Operation): unknown {
  if (name === "push") return undefined;
  return outcome === "unknown" ? "?" : { taken: result };
}
