import { LockstepError } from "../base/errors.js";
import { Block } from "./block.js";

/** What fits all of the blocks. */
type Given<Block> = [Block] extends [(tx: infer Tx) => unknown] ? Tx : never;

/**
 * A block that does what the first of these does that has something to do: when one calls `tx.retry()`,
 * what it has written is undone, and the next is tried. When all do, it sleeps until anything changes
 * that any of them has read.
 */
export function orElse<Tx, T>(...blocks: ((tx: Tx) => T)[]): (tx: Tx) => T;
export function orElse<Blocks extends ((tx: never) => unknown)[]>(
  ...blocks: Blocks
): (tx: Given<Blocks[number]>) => ReturnType<Blocks[number]>;
export function orElse(...blocks: ((tx: never) => unknown)[]): (tx: unknown) => unknown {
  if (blocks.length === 0 || blocks.some((block) => typeof block !== "function")) {
    throw new LockstepError(
      "bad-input",
      "orElse takes blocks to choose from, as in orElse(fromShelf, fromStore)",
    );
  }
  return (tx) => {
    if (tx instanceof Block) return tx.firstOf(blocks);
    throw new LockstepError(
      "bad-input",
      "what orElse gives is to be called with a transaction, as atomically does",
    );
  };
}
