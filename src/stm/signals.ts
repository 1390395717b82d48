import type { Cell } from "./cell.js";
import type { RowsRead } from "./rows-read.js";

/**
 * Thrown inside a block to leave it, and kept by its attempt: a block that catches it gets it again from
 * whatever it calls next. Its message says why, should there be no further attempt.
 */
export abstract class Leaving extends Error {
  constructor(why: string) {
    // Nobody is to see where it came from, and a stack costs more than a transaction.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(why);
    Error.stackTraceLimit = limit;
  }
}

/** The block has nothing to do before something that it has read changes. */
export class Retry extends Leaving {
  constructor() {
    super("it called tx.retry()");
  }
}

export const retry = new Retry();

/** Another transaction was faster. */
export class Conflict extends Leaving {
  readonly at: Cell<unknown> | RowsRead;

  constructor(at: Cell<unknown> | RowsRead) {
    super(`${at.what} was changed by others meanwhile`);
    this.at = at;
  }
}

/** Waiting on would have been for ever, or out of order: what was locked is given back. */
export class GaveWay extends Leaving {}

/** The caller has gone: its patience has ended. */
export class CalledOff extends Leaving {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("its caller has given up");
    this.reason = reason;
  }
}
