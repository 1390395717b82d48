import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { describe, valueText, type Operation } from "../history.js";
import { identity, isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { isAnswerTo } from "../transactions/micro-operations.js";
import { KnownCalls } from "./known-calls.js";
import type { RegisterOptions } from "./register.js";

const calls = new KnownCalls(
  "multi-register",
  { read: [["keys"]], write: [["{ key: value }"]], txn: [["operations"]] },
  { takesKey: false },
);

/** What was written, by the text of its key. */
type Values = ReadonlyMap<string, unknown>;
/** As Jepsen has it: `["r", key, what was read]` or `["w", key, value]`. */
type Access = readonly [kind: string, key: unknown, value: unknown];

/**
 * Registers of which several are read or written at once: `write({ x: 1, y: 2 })`, `read(["x", "y"]) → { x:
 * 1, y: 2 }`, or both in a `txn([["r", "x", null], ["w", "y", 2]])`, which answers the same with what it
 * read.
 */
export function multiRegister(options: RegisterOptions = {}): Model<Values> {
  checkOptions(options, ["init"]);
  const { init = null } = options;
  return {
    name: "multi-register",
    init: new Map(),
    step(values, operation) {
      const after = new Map(values);
      for (const [kind, key, value] of accessesOf(operation)) {
        const name = nameOf(key);
        if (kind === "w") after.set(name, value);
        else if (operation.outcome === "ok" && !isSame(after.has(name) ? after.get(name) : init, value)) {
          return refused;
        }
      }
      return after;
    },
    stateIdentity: (values) => identity(values),
    callIdentity: (operation) => calls.identity(operation, [operation.outcome, accessesOf(operation)]),
    effect(operation) {
      return accessesOf(operation).every(([kind]) => kind === "r") ? "reads" : undefined;
    },
    show: (values) => valueText(Object.fromEntries(values)),
  };
}

function accessesOf(operation: Operation): Access[] {
  calls.first(operation);
  const { name, result, outcome } = operation;
  const [asked] = operation.args;
  if (name === "txn") {
    const accesses = outcome === "ok" ? (result ?? asked) : asked;
    if (areAccesses(accesses) && isAnswerTo(asked, accesses)) return accesses;
    throw stranger(
      operation,
      `["r", key, value] and ["w", key, value] only, and answers the same with what was read`,
    );
  }
  if (name === "write") return entriesOf(asked, operation).map(([key, value]) => ["w", key, value]);
  if (!Array.isArray(asked)) throw stranger(operation, "an array of keys");
  const found = new Map(outcome === "ok" ? entriesOf(result, operation) : []);
  return (asked as unknown[]).map((key) => ["r", key, found.get(nameOf(key))]);
}

function areAccesses(list: unknown): list is Access[] {
  return Array.isArray(list) && list.every(isAccess);
}

function isAccess(access: unknown): boolean {
  return Array.isArray(access) && access.length >= 2 && (access[0] === "r" || access[0] === "w");
}

function entriesOf(values: unknown, operation: Operation): [string, unknown][] {
  if (values instanceof Map) return [...values].map(([key, value]) => [nameOf(key), value]);
  if (typeof values !== "object" || values === null || Symbol.iterator in values) {
    throw stranger(operation, "an object of keys and values");
  }
  return Object.entries(values);
}

/** Keys of objects are strings, so 1 and "1" are one key. */
function nameOf(key: unknown): string {
  return typeof key === "string" ? key : valueText(key);
}

function stranger(operation: Operation, wanted: string): LockstepError {
  return new LockstepError("bad-input", `a multi-register takes ${wanted}; not so ${describe(operation)}`);
}
