import { checkOptions } from "../../base/options.js";
import { valueText, type Operation } from "../history.js";
import { identity, isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { registerZones } from "../linearizability/register-zones.js";
import { KnownCalls } from "./known-calls.js";

/** What a key holds that was never written: by default nothing. */
export interface KeyValueOptions {
  readonly init?: unknown;
}

const calls = new KnownCalls(
  "key-value store",
  { get: [["key"]], put: [["key", "value"]], append: [["key", "text"]], delete: [["key"]] },
  { takesKey: false },
);

/** A value for each key: `get(key) → value`, `put(key, value)`, `append(key, text)`, `delete(key)`. */
export function keyValue(options: KeyValueOptions = {}): Model {
  checkOptions(options, ["init"]);
  const { init = null } = options;
  return {
    name: "kv",
    init,
    step(state, operation) {
      const { name, args, result, outcome } = operation;
      calls.first(operation);
      if (name === "put") return args[1];
      if (name === "delete") return init;
      if (name === "append") return textOf(state) + textOf(args[1]);
      return outcome === "unknown" || isSame(state, result) ? state : refused;
    },
    partition(operation) {
      calls.first(operation);
      return operation.args[0];
    },
    shortcut: registerZones(init, { read: "get", write: "put" }),
    stateIdentity: identity,
    callIdentity: (operation) => calls.identity(operation, answerOf(operation)),
    effect({ name }) {
      if (name === "append") return undefined;
      return name === "get" ? "reads" : "overwrites";
    },
    access({ name, args, result, outcome }) {
      const key = args[0];
      if (name === "append") return undefined;
      if (name === "get") return outcome === "ok" ? { key, read: { value: result } } : { key };
      return { key, write: { value: name === "put" ? args[1] : init } };
    },
  };
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : valueText(value);
}

function answerOf({ name, result }: Operation): unknown {
  return name === "get" ? (result ?? null) : undefined;
}
