import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

/** Who does one thing after the other: a session, a thread, a process. */
export type Client = string | number;

/** It happened; it certainly did not; or nobody knows: it may take effect at any later time, or never. */
export type Outcome = "ok" | "fail" | "unknown";

/** What one client did, from the call to the answer. */
export interface Operation {
  readonly client: Client;
  readonly name: string;
  /** A value that is never changed again. */
  readonly args: readonly unknown[];
  /** What was answered; undefined unless the outcome is "ok". */
  readonly result: unknown;
  readonly outcome: Outcome;
  /** Where its call stands in the one order in which calls and answers were seen. */
  readonly invoked: number;
  /** Where its answer stands in that order; Infinity when the outcome is "unknown". */
  readonly returned: number;
}

/**
 * What happened: operations in the order of their calls. One is before another in real time if it returned
 * before the other was invoked, and in its client's own order if both are of one client, too.
 */
export interface History {
  readonly operations: readonly Operation[];
  /** When the calls and the answers were, in milliseconds, by the places `invoked` and `returned`. */
  readonly times?: ArrayLike<number> | undefined;
  /** The lines of the file they came from, by the same places. */
  readonly lines?: ArrayLike<number> | undefined;
  /**
   * False when only each client's own order is known: then the order of operations of different clients was
   * made up, and levels that rest on real time cannot be judged.
   */
  readonly realTime?: false | undefined;
}

/** Whether the first was over, in real time, before the second began; not if that was at the same moment. */
export function isBefore(first: Operation, second: Operation): boolean {
  return first.returned < second.invoked;
}

/** Refuses what is no history, before anything is made of it. */
export function checkHistory(history: unknown): asserts history is History {
  const operations = (history as Partial<History> | undefined)?.operations;
  if (!Array.isArray(operations)) {
    throw new LockstepError("bad-input", "a history is an object with operations, as recorder().history is");
  }
  let last = -1;
  for (const operation of operations as Operation[]) {
    const { invoked, returned, outcome, args } = operation;
    // Never true of what is no number, either.
    if (!(invoked > last && returned > invoked)) {
      throw new LockstepError(
        "bad-input",
        `operations stand in the order of their calls, and return after it; not so ${describe(operation)}`,
      );
    }
    if (!Array.isArray(args) || (outcome === "unknown") !== (returned === Infinity)) {
      throw new LockstepError(
        "bad-input",
        `only an unknown outcome is Infinity late: ${describe(operation)}`,
      );
    }
    last = invoked;
  }
}

/** The operation as people read it: `write("x", 1)`, `read("x") → 1`, `read("y") → nothing`. */
export function describe({ name, args, result, outcome }: Operation): string {
  const call = `${name}(${args.map((arg) => valueText(arg)).join(", ")})`;
  if (outcome === "fail") return `${call} failed`;
  if (outcome === "unknown") return `${call} → ?`;
  const isBare = result === undefined && !asking.has(name);
  return isBare ? call : `${call} → ${valueText(result)}`;
}

/** The same with who did it: `b's read("x") → 1`, `client 3's write("x", 1)`. */
export function describeBy(operation: Operation): string {
  return `${clientText(operation.client)}'s ${describe(operation)}`;
}

/** The client as people read it: a number alone would be taken for a value. */
export function clientText(client: Client): string {
  return /^\d*$/.test(String(client)) ? `client ${client}` : String(client);
}

/** Operations that are done for their answer, so that no answer from them says something. */
const asking: ReadonlySet<string> = new Set(["read", "get", "dequeue", "pop"]);

/** A value as people read it. */
export function valueText(value: unknown): string {
  if (value === undefined) return "nothing";
  try {
    const text = JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part === "bigint") return `${bigintMark}${part}n`;
      if (part instanceof Map || part instanceof Set) return [...part] as unknown;
      return part;
    }) as string | undefined;
    return text?.replace(markedBigint, "$1") ?? shown(value);
  } catch {
    // A circle, say.
    return shown(value);
  }
}

/** JSON has no bigints: they are marked, and the mark is taken away with the quotes around it. */
const bigintMark = "\u0000";
const markedBigint = /"\\u0000(-?\d+n)"/g;
