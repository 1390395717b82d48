import { LockstepError } from "../../base/errors.js";
import { describe, valueText, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import { refused, type Model } from "../model.js";
import { setShortcut } from "../linearizability/set-shortcut.js";
import { KnownCalls } from "./known-calls.js";

const setCalls = new KnownCalls("set", {
  add: [["element"]],
  remove: [["element"]],
  contains: [["element"]],
  read: [[]],
});

type Elements = ReadonlySet<Identity>;

/**
 * Elements, each of which is in it or is not: `add(element)`, `remove(element)`, `contains(element) →
 * boolean` and `read() → all elements`, in whatever order; each may have a key before all else. If an add or
 * a remove answers true or false, it says whether it changed the set.
 */
export function set(): Model<Elements> {
  return {
    name: "set",
    init: new Set(),
    step(elements, operation) {
      const { name, args, result, outcome } = operation;
      const first = setCalls.first(operation);
      if (name === "read") {
        return outcome === "unknown" || isEqual(elements, elementsOf(operation)) ? elements : refused;
      }
      const element = identity(args[first]);
      const has = elements.has(element);
      if (name === "contains") return outcome === "unknown" || result === has ? elements : refused;
      const changes = has === (name === "remove");
      if (typeof result === "boolean" && result !== changes) return refused;
      if (!changes) return elements;
      const after = new Set(elements);
      if (name === "add") after.add(element);
      else after.delete(element);
      return after;
    },
    partition: (operation) => setCalls.key(operation),
    shortcut: setShortcut,
    callIdentity: (operation) => setCalls.identity(operation, answerOf(operation)),
    effect: ({ name }) => (name === "read" || name === "contains" ? "reads" : undefined),
    show: (elements) => valueText(elements),
  };
}

function isEqual(elements: Elements, others: Elements): boolean {
  return elements.size === others.size && [...others].every((each) => elements.has(each));
}

function elementsOf(operation: Operation): Elements {
  const { result } = operation;
  if (result === undefined || result === null) return new Set();
  if (Array.isArray(result) || result instanceof Set) {
    return new Set([...(result as Iterable<unknown>)].map(identity));
  }
  throw new LockstepError("bad-input", `a set reads as an array or a Set; not so ${describe(operation)}`);
}

function answerOf(operation: Operation): unknown {
  if (operation.outcome === "unknown") return null;
  return operation.name === "read" ? elementsOf(operation) : (operation.result ?? null);
}
