import type { Operation } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import { orderBy } from "./order-by.js";

/**
 * The stays of values in a queue or a stack, each of which was put in once: by the number of the value, in
 * the order in which the puts were called.
 */
export class Stays {
  readonly puts: readonly Operation[];
  /** Undefined if nobody took it out. */
  readonly takes: readonly (Operation | undefined)[];
  /** The takes that found nothing inside, as they were called. */
  readonly empties: readonly Operation[];
  /** When each value was put in, at the earliest and at the latest. */
  readonly putFrom: Float64Array;
  readonly putBy: Float64Array;
  /** When it was taken out, at the earliest and at the latest; Infinity if nobody took it out. */
  readonly takenFrom: Float64Array;
  readonly takenBy: Float64Array;

  constructor(
    puts: readonly Operation[],
    takes: readonly (Operation | undefined)[],
    empties: readonly Operation[],
  ) {
    this.puts = puts;
    this.takes = takes;
    this.empties = empties;
    this.putFrom = Float64Array.from(puts, (put) => put.invoked);
    this.putBy = Float64Array.from(puts, (put) => put.returned);
    this.takenFrom = Float64Array.from(takes, (take) => take?.invoked ?? Infinity);
    this.takenBy = Float64Array.from(takes, (take) => take?.returned ?? Infinity);
  }

  /** Without the values that nobody took out. */
  ended(): Stays {
    const isTaken = (_: unknown, value: number) => this.takes[value] !== undefined;
    return new Stays(this.puts.filter(isTaken), this.takes.filter(isTaken), this.empties);
  }

  /**
   * The values that were certainly inside for a while, from `putBy` to `takenFrom`; in the order of `putBy`.
   */
  sure(): Uint32Array {
    const { putBy, takenFrom } = this;
    const values = new Uint32Array(putBy.length);
    let count = 0;
    for (let value = 0; value < putBy.length; value++) {
      if (putBy[value]! < takenFrom[value]!) values[count++] = value;
    }
    return orderBy(putBy, values.subarray(0, count));
  }

  /**
   * Adds to the chain as few values as can be of which one or the other was certainly inside at each moment
   * from `reach`, where the chain ends so far, up to and including `end`. `among` is in the order of `sure`.
   */
  lengthen(chain: number[], reach: number, end: number, among: Uint32Array): number[] {
    const { putBy, takenFrom } = this;
    let next = 0;
    let longest = among[0]!;
    while (reach <= end) {
      for (; next < among.length && putBy[among[next]!]! < reach; next++) {
        if (takenFrom[among[next]!]! > takenFrom[longest]!) longest = among[next]!;
      }
      chain.push(longest);
      reach = takenFrom[longest]!;
    }
    return chain;
  }

  /** The puts and takes of these values, in the order of their calls. */
  operations(values: readonly number[]): Operation[] {
    const all = values.flatMap((value) => [this.puts[value], this.takes[value]]);
    return inCallOrder(all.filter((each) => each !== undefined));
  }
}
