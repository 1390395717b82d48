import { LockstepError } from "../../base/errors.js";
import { describe, type Client, type Operation } from "../history.js";
import { tokenOrder } from "../linearizability/token-order.js";
import { refused, type Model } from "../model.js";
import { KnownCalls } from "./known-calls.js";

const calls = new KnownCalls("fenced mutex", { acquire: [[]], release: [[]] });

interface Fence {
  readonly owner: Client | null;
  /** The highest token so far. */
  readonly token: number | bigint | null;
}

/**
 * A lock that one client has at a time: `acquire() → token` and `release()`, with or without a key. The
 * tokens, numbers or bigints, must rise with each grant.
 */
export function fencedMutex(): Model<Fence> {
  return {
    name: "fenced-mutex",
    init: { owner: null, token: null },
    step(fence, operation) {
      calls.first(operation);
      const { name, client, outcome } = operation;
      const isPossible = fence.owner === (name === "acquire" ? null : client);
      if (!isPossible) return outcome === "unknown" ? fence : refused;
      if (name === "release") return { owner: null, token: fence.token };
      // Nobody saw the token of an unknown grant: all that is known is that it lies between the others.
      if (outcome === "unknown") return { owner: client, token: fence.token };
      const token = tokenOf(operation);
      const isRisen = fence.token === null || token > fence.token;
      return isRisen ? { owner: client, token } : refused;
    },
    partition: (operation) => calls.key(operation),
    shortcut: tokenOrder,
    show({ owner, token }) {
      const by = owner === null ? "free" : `held by ${owner}`;
      return token === null ? by : `${by}, the last token being ${token}`;
    },
  };
}

function tokenOf(operation: Operation): number | bigint {
  const { result } = operation;
  if (typeof result === "number" || typeof result === "bigint") return result;
  throw new LockstepError(
    "bad-input",
    `a fenced mutex answers acquire with a token, a number or a bigint; not so ${describe(operation)}`,
  );
}
