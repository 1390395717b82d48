import { describeBy, isBefore, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { elementFromNowhere } from "./element-from-nowhere.js";
import { growingSet } from "./growing-set.js";
import { inCallOrder } from "../in-call-order.js";
import { deedOf } from "./membership.js";

/**
 * Judges a set to which no element is added twice, nor removed twice, and of which either nobody reads the
 * whole or nobody removes anything; other histories it leaves to the search.
 *
 * A set whose elements are asked for one by one is as many objects as there are elements, and is
 * linearizable if each of them is (Herlihy and Wing, 1990).
 */
export function setShortcut(part: readonly Operation[]): PartVerdict | undefined {
  if (part.some(({ name }) => name === "read")) {
    return part.some((operation) => deedOf(operation) === "removes") ? undefined : growingSet(part);
  }
  const elements = elementsOf(part);
  if (elements === undefined) return undefined;
  for (const element of elements) {
    const anomaly = anomalyOf(element, part);
    if (anomaly !== undefined) return anomaly;
  }
  return "valid";
}

function elementsOf(part: readonly Operation[]): Iterable<Element> | undefined {
  const elements = new Map<Identity, Element>();
  for (const operation of part) {
    const deed = deedOf(operation);
    if (deed === "nothing") continue;
    const value = identity(operation.args.at(-1));
    const element = elements.get(value) ?? { add: undefined, remove: undefined, found: [], missed: [] };
    elements.set(value, element);
    if (deed === "finds") element.found.push(operation);
    else if (deed === "misses") element.missed.push(operation);
    else if (deed === "adds" && element.add === undefined) element.add = operation;
    else if (deed === "removes" && element.remove === undefined) element.remove = operation;
    else return undefined;
  }
  return elements.values();
}

/** All that happened to an element of the set. */
interface Element {
  add: Operation | undefined;
  remove: Operation | undefined;
  /** Those who asked for it and found it, and those who did not. */
  readonly found: Operation[];
  readonly missed: Operation[];
}

/** What speaks against an order. */
interface Objection {
  readonly name: string;
  readonly because: string;
  readonly operations: readonly Operation[];
}

/**
 * An element that was added once and removed at most once, if nothing forbids it before it was added. If it
 * was removed after that, then all who found it come between the two, and whoever missed it, before or
 * after. If it was removed before, to no effect, then whoever missed it comes before it was added, too.
 */
function anomalyOf(element: Element, part: readonly Operation[]): Anomaly | undefined {
  const { add, remove, found } = element;
  if (add === undefined) {
    const seen = found[0] ?? (remove?.result === true ? remove : undefined);
    return seen && elementFromNowhere(part, seen, identity(seen.args.at(-1)));
  }
  const after = objectionToRemovedAfter(element, add);
  if (after === undefined) return undefined;
  if (remove === undefined || remove.result === true) return anomalyFrom(after);
  const before = objectionToRemovedBefore(element, add, remove);
  return before && anomalyFrom(after, before);
}

function anomalyFrom(after: Objection, before?: Objection): Anomaly {
  const explanation =
    before === undefined
      ? `${after.because}.`
      : `If it was removed after it was added: ${after.because}. ` +
        `If it was removed before, when it was not there yet: ${before.because}.`;
  const operations = [...after.operations, ...(before?.operations ?? [])];
  return { name: after.name, explanation, operations: inCallOrder(operations) };
}

function objectionToRemovedAfter({ remove, found, missed }: Element, add: Operation): Objection | undefined {
  const firstFound = firstOver(found);
  const lastFound = lastBegun(found);
  if (firstFound !== undefined && isBefore(firstFound, add)) {
    return was("element from the future", firstFound, add);
  }
  if (remove !== undefined) {
    const late = lastBegun(lastFound === undefined ? [add] : [add, lastFound])!;
    if (isBefore(remove, late)) return was("stale read", remove, late);
  }
  const there = firstOver(firstFound === undefined ? [add] : [add, firstFound])!;
  const stillThere = remove && lastBegun(lastFound === undefined ? [remove] : [remove, lastFound])!;
  const wrong = missed.find(
    (each) => isBefore(there, each) && (stillThere === undefined || isBefore(each, stillThere)),
  );
  if (wrong === undefined) return undefined;
  const { because, operations } = was("lost element", there, wrong);
  if (stillThere === undefined) return { name: "lost element", because, operations };
  return {
    name: "lost element",
    because: `${because}, and that was over before ${describeBy(stillThere)} began`,
    operations: [...operations, stillThere],
  };
}

function objectionToRemovedBefore(
  { found, missed }: Element,
  add: Operation,
  remove: Operation,
): Objection | undefined {
  const there = firstOver([add, ...found])!;
  const notYet = lastBegun([remove, add, ...missed])!;
  return isBefore(there, notYet) ? was("stale read", there, notYet) : undefined;
}

function was(name: string, over: Operation, begun: Operation): Objection {
  const because = `${describeBy(over)} was over before ${describeBy(begun)} began`;
  return { name, because, operations: [over, begun] };
}

function firstOver(operations: readonly Operation[]): Operation | undefined {
  return operations.reduce<Operation | undefined>(
    (first, each) => (first !== undefined && first.returned <= each.returned ? first : each),
    undefined,
  );
}

function lastBegun(operations: readonly Operation[]): Operation | undefined {
  return operations.reduce<Operation | undefined>(
    (last, each) => (last !== undefined && last.invoked >= each.invoked ? last : each),
    undefined,
  );
}
