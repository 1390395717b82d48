import type { LockingTransaction } from "lockstep/stm";
import type { Steps } from "./steps.js";

/** What transactions that write and those that only read have in common. */
export type Reads = Pick<LockingTransaction, "get" | "range" | "where" | "by">;

/** What was seen of a key. */
export type Seen = readonly [key: number, value: unknown];

/** How a key is looked at: layouts know several ways, and take that which the number says. */
export type Way = number;

/** One way to keep the keys of a history in a space. */
export interface Layout {
  readonly name: string;
  /** Reads the key, and maybe others along with it. */
  read(tx: Reads, key: number, way: Way): Steps<Seen[]>;
  /** Reads the key for update, if it is one that can be. */
  readForUpdate?(tx: LockingTransaction, key: number): Steps<Seen[]>;
  /**
   * Writes the value to the key, or appends it. What that has to read is read for update if it is guarded:
   * then it must still hold at the commit, whatever the isolation.
   */
  write(tx: LockingTransaction, key: number, value: number, isGuarded: boolean): Steps<void>;
}
