import type { Operation } from "../history.js";

/**
 * When operations were open, as small integers. An operation is known by its place in the order of calls, and
 * "the window at r" are those that were called before the r-th answer came, or at its very moment: then none
 * of the two is before the other (see `isBefore`). Operations that failed must have been taken out.
 *
 * Each has a slot from its call to its answer, and gives it back to others then; one whose outcome is unknown
 * never does. So a set of open operations is a few bits, however long the history is.
 */
export class Timeline {
  readonly operations: readonly Operation[];
  /** Those that returned, in the order of their answers. */
  readonly byReturn: Int32Array;
  /** Of each operation, which answer it got; as many as there are answers if its outcome is unknown. */
  readonly rank: Int32Array;
  /** For each answer, how many operations had been called by then. */
  readonly calledBefore: Int32Array;
  readonly slot: Int32Array;
  /** How many slots there are, in words of 32 bits. */
  readonly words: number;

  constructor(operations: readonly Operation[]) {
    this.operations = operations;
    const count = operations.length;
    const returned = new Float64Array(count);
    const inCallOrder = new Int32Array(count);
    let answers = 0;
    operations.forEach((operation, index) => {
      returned[index] = operation.returned;
      if (operation.returned < Infinity) inCallOrder[answers++] = index;
    });
    this.byReturn = inCallOrder.subarray(0, answers).sort((a, b) => returned[a]! - returned[b]!);
    this.rank = new Int32Array(count).fill(answers);
    this.calledBefore = new Int32Array(answers);
    this.slot = new Int32Array(count);
    const free: number[] = [];
    let slots = 0;
    let called = 0;
    const call = (until: number) => {
      while (called < count && operations[called]!.invoked <= until) {
        this.slot[called++] = free.pop() ?? slots++;
      }
    };
    this.byReturn.forEach((operation, rank) => {
      this.rank[operation] = rank;
      call(returned[operation]!);
      this.calledBefore[rank] = called;
      free.push(this.slot[operation]!);
    });
    call(Infinity);
    this.words = Math.max(1, Math.ceil(slots / 32));
  }

  /** How many operations returned. */
  get answers(): number {
    return this.byReturn.length;
  }
}
