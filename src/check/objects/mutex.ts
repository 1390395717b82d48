import type { Client, Operation } from "../history.js";
import { holdOrder } from "../linearizability/hold-order.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

const calls = new KnownCalls("mutex", { acquire: [[]], release: [[]] });

/**
 * A lock that one client has at a time: `acquire()` and `release()`, with or without a key. An acquire that
 * answers false found that somebody has it. Only who has it can release it.
 */
export function mutex(): Model<Client | null> {
  return {
    name: "mutex",
    init: null,
    step(owner, operation) {
      calls.first(operation);
      const { client, outcome } = operation;
      if (isDenied(operation)) return owner === null ? refused : owner;
      const isPossible = owner === (operation.name === "acquire" ? null : client);
      if (isPossible) return operation.name === "acquire" ? client : null;
      return outcome === "unknown" ? owner : refused;
    },
    partition: (operation) => calls.key(operation),
    shortcut: holdOrder,
    stateIdentity: (owner) => owner,
    effect: (operation) => (isDenied(operation) ? "reads" : undefined),
    show: (owner) => (owner === null ? "free" : `held by ${owner}`),
  };
}

function isDenied({ name, result, outcome }: Operation): boolean {
  return name === "acquire" && outcome === "ok" && result === false;
}
