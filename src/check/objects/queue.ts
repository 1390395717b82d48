import { valueText, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { queueShortcut } from "../linearizability/queue-shortcut.js";
import { KnownCalls } from "./known-calls.js";

const queueCalls = new KnownCalls("queue", { enqueue: [["value"]], dequeue: [[]] });

/**
 * First in, first out: `enqueue(value)` and `dequeue() → value`, or nothing if it is empty; each may have a
 * key before all else.
 */
export function queue(): Model<readonly unknown[]> {
  return {
    name: "queue",
    init: [],
    step(values, operation) {
      const { name, args, result, outcome } = operation;
      const first = queueCalls.first(operation);
      if (name === "enqueue") return [...values, args[first]];
      if (outcome === "ok" && !isSame(values[0], result)) return refused;
      return values.length === 0 ? values : values.slice(1);
    },
    partition: (operation) => queueCalls.key(operation),
    shortcut: queueShortcut,
    callIdentity: (operation) => queueCalls.identity(operation, answerOf(operation)),
    show: (values) => valueText(values),
  };
}

function answerOf({ name, result, outcome }: Operation): unknown {
  if (name === "enqueue") return undefined;
  return outcome === "unknown" ? "?" : { taken: result };
}
