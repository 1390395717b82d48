import { describeBy, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import type { Anomaly } from "../verdict.js";
import type { PartVerdict } from "../model.js";
import { elementFromNowhere } from "./element-from-nowhere.js";
import { inCallOrder } from "../in-call-order.js";
import { deedOf } from "./membership.js";

/**
 * Judges a set that only grows, and to which no element is added twice, in time linear in the history and
 * all elements that were read.
 *
 * What was seen says what came before what, and nothing else does: who missed an element came before it was
 * added, and who found it, after. So give each operation the earliest moment it can have: when it was
 * called, or the latest of those before it, if that is later. If none is over by then, the history is valid:
 * in the order of these moments, where those at one moment stand as they come before each other. And if one
 * was over by then, it was over before another was called that came before it.
 *
 * Those who read the whole set saw more and more, each all that another saw, or else neither came before the
 * other. So go through them from the smallest to the largest, and before each the elements that it was the
 * first to see.
 */
export function growingSet(part: readonly Operation[]): PartVerdict | undefined {
  const elements = elementsOf(part);
  if (elements === undefined) return undefined;
  const reads = readsOf(part);
  if (reads === undefined) return undefined;
  return misfound(part, elements) ?? diverged(part, elements, reads) ?? tooLate(elements, reads) ?? "valid";
}

interface Element {
  add: Operation | undefined;
  /** Who missed it, of these the one called last. */
  missed: Operation | undefined;
  /** Who found it, not reading the whole; of these the one that was over first. */
  found: Operation | undefined;
  /** By its place, the first of the reads of the whole that saw it; `unread` if none did. */
  firstRead: number;
}

const unread = Infinity;

interface Read {
  readonly operation: Operation;
  readonly elements: ReadonlySet<Identity>;
}

function elementsOf(part: readonly Operation[]): Map<Identity, Element> | undefined {
  const elements = new Map<Identity, Element>();
  for (const operation of part) {
    const deed = operation.name === "read" ? "nothing" : deedOf(operation);
    if (deed === "nothing") continue;
    const value = identity(operation.args.at(-1));
    let element = elements.get(value);
    if (element === undefined) {
      element = { add: undefined, missed: undefined, found: undefined, firstRead: unread };
      elements.set(value, element);
    }
    if (deed === "adds" && element.add === undefined) element.add = operation;
    else if (deed === "misses") element.missed = operation;
    else if (deed !== "finds") return undefined;
    else if (!(element.found && element.found.returned <= operation.returned)) element.found = operation;
  }
  return elements;
}

/** The smallest first; undefined if some answer is no set. */
function readsOf(part: readonly Operation[]): Read[] | undefined {
  const reads: Read[] = [];
  for (const operation of part) {
    if (operation.name !== "read" || operation.outcome !== "ok") continue;
    const { result } = operation;
    if (!Array.isArray(result) && !(result instanceof Set)) return undefined;
    reads.push({ operation, elements: new Set([...(result as Iterable<unknown>)].map(identity)) });
  }
  return reads.sort((a, b) => a.elements.size - b.elements.size);
}

function misfound(part: readonly Operation[], elements: Map<Identity, Element>): Anomaly | undefined {
  for (const { add, found } of elements.values()) {
    if (add === undefined && found !== undefined)
      return elementFromNowhere(part, found, identity(found.args.at(-1)));
  }
  return undefined;
}

/** Finds out which read was the first to see each element, and two of which neither saw all of the other. */
function diverged(
  part: readonly Operation[],
  elements: Map<Identity, Element>,
  reads: readonly Read[],
): Anomaly | undefined {
  let seen = 0;
  for (const [place, read] of reads.entries()) {
    let again = 0;
    for (const value of read.elements) {
      const element = elements.get(value);
      if (element?.add === undefined) return elementFromNowhere(part, read.operation, value);
      if (element.firstRead === unread) element.firstRead = place;
      else again++;
    }
    if (again < seen) return longFork(reads[place - 1]!.operation, read.operation);
    seen = read.elements.size;
  }
  return undefined;
}

/** Neither of the two saw all that the other saw. */
function longFork(one: Operation, other: Operation): Anomaly {
  return {
    name: "long fork",
    explanation:
      `Nothing is ever removed, but each of ${describeBy(one)} and ${describeBy(other)} ` +
      `misses something that the other saw.`,
    operations: inCallOrder([one, other]),
  };
}

/** The earliest moment that something can have: when this operation was called. */
interface Earliest {
  readonly at: number;
  readonly by: Operation;
  /** The read of the whole, if any, that saw the one and not the other. */
  readonly through: Operation | undefined;
}

function tooLate(elements: Map<Identity, Element>, reads: readonly Read[]): Anomaly | undefined {
  const firstReadBy: Element[][] = reads.map(() => []);
  const readByNobody: Element[] = [];
  for (const element of elements.values()) {
    if (element.add !== undefined) (firstReadBy[element.firstRead] ?? readByNobody).push(element);
  }
  let lastAdd: Earliest | undefined;
  let lastRead: Earliest | undefined;
  const comes = ({ add, missed, found }: Element): Anomaly | undefined => {
    const earliest = later(later(callOf(add!), missed && callOf(missed)), lastRead);
    lastAdd = later(earliest, lastAdd);
    const over = [add!, found].find((each) => each !== undefined && each.returned < earliest.at);
    return over && sawLess(earliest, over);
  };
  for (const [place, { operation }] of reads.entries()) {
    for (const element of firstReadBy[place]!) {
      const anomaly = comes(element);
      if (anomaly !== undefined) return anomaly;
    }
    const earliest = later(callOf(operation), lastAdd);
    if (operation.returned < earliest.at) return sawLess({ ...earliest, through: undefined }, operation);
    lastRead = later({ ...earliest, through: operation }, lastRead);
  }
  for (const element of readByNobody) {
    const anomaly = comes(element);
    if (anomaly !== undefined) return anomaly;
  }
  return undefined;
}

function callOf(operation: Operation): Earliest {
  return { at: operation.invoked, by: operation, through: undefined };
}

function later(one: Earliest, other: Earliest | undefined): Earliest {
  return other !== undefined && other.at > one.at ? other : one;
}

function sawLess({ by, through }: Earliest, over: Operation): Anomaly {
  const witness = through === undefined || through === by ? "" : `, as ${describeBy(through)} shows`;
  return {
    name: by.name === "add" ? "element from the future" : "lost element",
    explanation:
      `Nothing is ever removed, so ${describeBy(by)} must come before ${describeBy(over)}${witness}; ` +
      `but the latter was over before the former began.`,
    operations: inCallOrder(through === undefined ? [by, over] : [by, through, over]),
  };
}
