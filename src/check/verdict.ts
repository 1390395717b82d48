import type { Operation } from "./history.js";
import type { Level } from "./level.js";

/** What a checker found. */
export type Verdict = Valid | Violation | Unknown;

/** The history keeps the promise. */
export interface Valid {
  readonly is: "valid";
  readonly level: Level;
}

/** The history breaks the promise, and here is how. */
export interface Violation {
  readonly is: "violation";
  readonly level: Level;
  /** The most telling first. */
  readonly anomalies: readonly [Anomaly, ...Anomaly[]];
}

/** Nobody knows: time ran out, or the history does not say enough. */
export interface Unknown {
  readonly is: "unknown";
  readonly level: Level;
  /** Why, and what to do about it. */
  readonly reason: string;
  /** How far it got, in operations. */
  readonly checked: number;
  readonly of: number;
}

/** One thing that cannot have happened, had the promise been kept. */
export interface Anomaly {
  /** Its name in the literature: "G1c", "lost update", "stale read", "not linearizable" … */
  readonly name: string;
  /** Sentences for people. */
  readonly explanation: string;
  /**
   * Those that take part, in the order of their calls; as few as can be, or as were found where to look for
   * fewer takes too long.
   */
  readonly operations: readonly Operation[];
  /** The key, the object, the part of the history. */
  readonly key?: unknown;
  /** Each operation must come before the next one, and the last before the first. */
  readonly cycle?: readonly Edge[] | undefined;
  /** How far one could get in putting the operations in one order. */
  readonly attempt?: Attempt | undefined;
}

/** Why one operation must come before another. */
export interface Edge {
  readonly from: Operation;
  readonly to: Operation;
  /** "ww", "wr", "rw" as in the literature; "session" for a client's own order; "realtime"; and so on. */
  readonly relation: string;
  /** What it rests on: `b's read("x") → 1 saw what a's write("x", 1) wrote`. */
  readonly because: string;
}

/** What the edges rest on, one after the other, as a sentence goes on. */
export function reasonsOf(edges: readonly Edge[]): string {
  return edges.map(({ because }) => because).join("; ");
}

/** The longest order that could be found, and what could not follow it. */
export interface Attempt {
  readonly order: readonly Operation[];
  /** The state after it, for people. */
  readonly state: string;
  /** The operations of which one would have to be next, and why each cannot. */
  readonly stuck: readonly { readonly operation: Operation; readonly because: string }[];
}
