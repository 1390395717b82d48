import type { Held } from "lockstep";
import type { History } from "lockstep/check";
import type { Guarantees } from "lockstep/store";

/** What a worker wrote when it entered a section or left it. */
export interface Line {
  readonly name: string;
  readonly what: "enter" | "exit";
  readonly token: bigint;
  readonly pid: number;
  readonly at: number;
  /** Whether it was surely held at `at`. */
  readonly isHeld: Held["isHeld"];
}

/** What a watcher was told that a register holds since. */
export interface Written {
  readonly token: bigint;
  readonly count: number;
}

/** What was done to whom, and what came of it. */
export interface Story {
  readonly guarantees: Guarantees;
  readonly seed: number;
  readonly ttlMs: number;
  readonly names: readonly string[];
  readonly lines: readonly Line[];
  /** Every write to each register, in order; undefined where the watcher was not told of every one. */
  readonly writes: ReadonlyMap<string, readonly Written[]> | undefined;
  /** What was done with the registers. */
  readonly registers: History;
  readonly kills: readonly { readonly pid: number; readonly at: number }[];
  readonly freezes: readonly Freeze[];
  readonly from: number;
  readonly to: number;
}

export interface Freeze {
  readonly pid: number;
  readonly from: number;
  /** When it went on, or was killed. */
  to: number;
}
