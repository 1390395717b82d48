import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { describe, type Operation } from "../history.js";
import { identity, isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { registerZones } from "../linearizability/register-zones.js";
import { KnownCalls } from "./known-calls.js";
import type { RegisterOptions } from "./register.js";

const calls = new KnownCalls("cas-register", { read: [[]], write: [["value"]], cas: [["old", "new"]] });

/**
 * A register that can also be changed if it holds what one thinks: `cas(old, new)`, or `cas(key, old, new)`,
 * answers true, or false if it held something else and was not changed.
 */
export function casRegister(options: RegisterOptions = {}): Model {
  checkOptions(options, ["init"]);
  const { init = null } = options;
  return {
    name: "cas-register",
    init,
    step(state, operation) {
      const { name, args, result, outcome } = operation;
      const first = calls.first(operation);
      if (name === "write") return args[first];
      if (name === "read") return outcome === "unknown" || isSame(state, result) ? state : refused;
      const isMatch = isSame(state, args[first]);
      if (outcome === "unknown") return isMatch ? args[first + 1] : state;
      if (hasMatched(operation)) return isMatch ? args[first + 1] : refused;
      return isMatch ? refused : state;
    },
    partition: (operation) => calls.key(operation),
    shortcut: registerZones(init),
    stateIdentity: identity,
    callIdentity: (operation) => calls.identity(operation, answerOf(operation)),
    effect(operation) {
      if (operation.name === "write") return "overwrites";
      const isUnknownCas = operation.name === "cas" && operation.outcome === "unknown";
      return isUnknownCas || hasMatched(operation) ? undefined : "reads";
    },
    access(operation) {
      const { name, args, result, outcome } = operation;
      const key = calls.key(operation);
      if (name === "write") return { key, write: { value: args.at(-1) } };
      if (name === "read") return outcome === "ok" ? { key, read: { value: result } } : { key };
      const write = { value: args.at(-1) };
      if (outcome === "unknown") return { key, write };
      return hasMatched(operation) ? { key, read: { value: args.at(-2) }, write } : { key };
    },
  };
}

/** Whether it is a cas that was answered, and found what it looked for. */
function hasMatched(operation: Operation): boolean {
  const { name, result, outcome } = operation;
  if (name !== "cas" || outcome !== "ok") return false;
  if (result === undefined || result === null || typeof result === "boolean") return result !== false;
  throw new LockstepError("bad-input", `cas answers true or false; not so ${describe(operation)}`);
}

function answerOf(operation: Operation): unknown {
  const { name, result, outcome } = operation;
  if (name === "read") return result ?? null;
  if (name === "write") return undefined;
  return outcome === "unknown" ? "?" : hasMatched(operation);
}
