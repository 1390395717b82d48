import { checkOptions } from "../../base/options.js";
import type { Operation } from "../history.js";
import { identity, isSame } from "../identity.js";
import { refused, type Model } from "../model.js";
import { registerZones } from "../linearizability/register-zones.js";
import { KnownCalls } from "./known-calls.js";

/** What a register, or each register of a key, holds at the beginning: by default nothing. */
export interface RegisterOptions {
  readonly init?: unknown;
}

const registerCalls = new KnownCalls("register", { read: [[]], write: [["value"]] });

/**
 * One value, or one for each key: `write(value)` and `read() → value`, or `write(key, value)` and
 * `read(key) → value`.
 */
export function register(options: RegisterOptions = {}): Model {
  checkOptions(options, ["init"]);
  const { init = null } = options;
  return {
    name: "register",
    init,
    step(state, operation) {
      const { name, args, result, outcome } = operation;
      const first = registerCalls.first(operation);
      if (name === "write") return args[first];
      return outcome === "unknown" || isSame(state, result) ? state : refused;
    },
    partition: (operation) => registerCalls.key(operation),
    shortcut: registerZones(init),
    stateIdentity: identity,
    callIdentity: (operation) => registerCalls.identity(operation, answerOf(operation)),
    effect: ({ name }) => (name === "write" ? "overwrites" : "reads"),
    access(operation) {
      const { name, args, result, outcome } = operation;
      const key = registerCalls.key(operation);
      if (name === "write") return { key, write: { value: args.at(-1) } };
      return outcome === "ok" ? { key, read: { value: result } } : { key };
    },
  };
}

function answerOf({ name, result }: Operation): unknown {
  return name === "read" ? (result ?? null) : undefined;
}
