import type { Budget } from "./budget.js";
import type { History, Operation } from "./history.js";
import { identity, type Identity } from "./identity.js";
import { inCallOrder } from "./in-call-order.js";
import type { Model } from "./model.js";
import type { Verdict, Violation } from "./verdict.js";

/** Beyond that, to judge it again and again takes too long. */
const operationMax = 2_000;

/**
 * A violation of a history of reads and writes that needs as few of its operations as can be, none of which
 * can be spared.
 *
 * A read can be left out, for it changed nothing. A write can be left out together with all that saw or wrote
 * the same value of the key: in an order of the whole that is right, each other read saw another write, which
 * stays the last before it without these. So what is wrong with the rest is wrong with the whole.
 */
export function shrunk<State>(
  history: History,
  model: Model<State>,
  violation: Violation,
  judge: (history: History) => Verdict,
  budget: Budget,
): Violation {
  const happened = history.operations.filter(({ outcome }) => outcome !== "fail");
  if (happened.length > operationMax) return violation;
  const groups = groupsByValue(happened, model);
  if (!groups) return violation;
  let shortest = violation;
  const isStillBroken = (operations: readonly Operation[]): boolean => {
    const verdict = judge({ ...history, operations: inCallOrder(operations) });
    if (verdict.is === "violation") shortest = verdict;
    return verdict.is === "violation";
  };
  const left = fewest(groups, (some) => isStillBroken(some.flat()), budget).flat();
  const [writes, reads] = [left.filter(isWrite(model)), left.filter((each) => !isWrite(model)(each))];
  fewest(reads, (some) => isStillBroken([...writes, ...some]), budget);
  return shortest;
}

/** As few of them as will do: none of those that are left can be spared. Leaves out many at once first. */
export function fewest<Each>(
  all: Each[],
  isEnough: (some: Each[]) => boolean,
  budget: { readonly isSpent: boolean },
): Each[] {
  let left = all;
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let start = 0; start < left.length;) {
      if (budget.isSpent) return left;
      const some = [...left.slice(0, start), ...left.slice(start + size)];
      if (isEnough(some)) left = some;
      else start += size;
    }
  }
  return left;
}

function isWrite<State>(model: Model<State>): (operation: Operation) => boolean {
  return (operation) => model.access?.(operation)?.write !== undefined;
}

/** Those that read or wrote the same value of a key, or are linked by one that read one and wrote another. */
function groupsByValue<State>(
  operations: readonly Operation[],
  model: Model<State>,
): Operation[][] | undefined {
  const linkedTo = new Map<Identity, Identity>();
  const rootOf = (value: Identity): Identity => {
    const next = linkedTo.get(value);
    return next === undefined ? value : rootOf(next);
  };
  const accesses: { operation: Operation; value: Identity | undefined }[] = [];
  for (const operation of operations) {
    const access = model.access?.(operation);
    if (!access) return undefined;
    const { key, read, write } = access;
    const [value, other] = [read, write].flatMap((each) =>
      each ? [rootOf(identity([key, each.value]))] : [],
    );
    if (other !== undefined && other !== value) linkedTo.set(other, value!);
    accesses.push({ operation, value });
  }
  const groups = new Map<unknown, Operation[]>();
  for (const { operation, value } of accesses) {
    const place = value === undefined ? operation : rootOf(value);
    const group = groups.get(place);
    if (group) group.push(operation);
    else groups.set(place, [operation]);
  }
  return [...groups.values()];
}
