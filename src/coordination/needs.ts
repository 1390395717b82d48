import { LockstepError } from "../base/errors.js";
import type { Guarantees } from "../store/guarantees.js";
import type { Store } from "../store/store.js";

/** What a recipe may need of an engine, in words, and how to tell whether it is promised. */
const needs = {
  "linearizable reads": ({ linearizableReads }: Guarantees) => linearizableReads,
  // A server's clock that is behind is a declared exception; starting over at every failover is no fence.
  "fencing tokens that rise across a failover": ({ fence }: Guarantees) => fence !== "regresses-on-failover",
};

/** Throws 'unsupported' unless the engine promises what the recipe cannot do without. */
export function checkNeed(recipe: string, need: keyof typeof needs, { guarantees }: Store): void {
  if (needs[need](guarantees)) return;
  throw new LockstepError(
    "unsupported",
    `${recipe} needs ${need}, which the engine "${guarantees.engine}" does not promise; use another engine`,
  );
}
