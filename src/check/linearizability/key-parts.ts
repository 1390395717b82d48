import type { Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import type { Model } from "../model.js";

/** The operations on one thing, in the order of their calls. */
export interface KeyPart {
  /** Undefined if the model knows no keys, or the operations name none. */
  readonly key: unknown;
  readonly operations: readonly Operation[];
}

/** The history in the parts that the model can tell apart; those that failed are in them, too. */
export function keyParts<State>(operations: readonly Operation[], model: Model<State>): KeyPart[] {
  if (!model.partition) return [{ key: undefined, operations }];
  const parts = new Map<Identity, { key: unknown; operations: Operation[] }>();
  for (const operation of operations) {
    const key = model.partition(operation);
    const name = identity(key);
    const part = parts.get(name);
    if (part) part.operations.push(operation);
    else parts.set(name, { key: key ?? undefined, operations: [operation] });
  }
  return [...parts.values()];
}
