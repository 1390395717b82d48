import type { AccessLog } from "./access-log.js";

interface Lane {
  readonly number: number;
  last: number;
  /** The one before the last. */
  former: number;
}

/**
 * The order in which each client did one thing after the other, as lanes: in a lane each access is after the
 * one before it. A client that does one thing at a time has one lane. One that goes on while something is
 * still open, or after something whose end nobody knows, needs more of them.
 */
export class SessionOrder {
  readonly #starts: Int32Array;
  readonly #before: number[] = [];
  /** By access: its lane, or -1 if nothing comes after it in this order. */
  readonly lane: Int32Array;
  /** By access: which one it is in its lane, from 1. */
  readonly place: Int32Array;
  readonly laneCount: number = 0;

  /** With `leads`, only some of the accesses have others after them. */
  constructor(log: AccessLog, leads: (row: number) => boolean = () => true) {
    const { size, client, invoked, returned } = log;
    this.#starts = new Int32Array(size + 1);
    this.lane = new Int32Array(size).fill(-1);
    this.place = new Int32Array(size);
    const lanesOf: Lane[][] = Array.from({ length: log.clientCount }, () => []);
    for (let row = 0; row < size; row++) {
      const lanes = lanesOf[client[row]!]!;
      this.#addBefore(log, lanes, row);
      this.#starts[row + 1] = this.#before.length;
      if (!leads(row)) continue;
      let lane = lanes.find(({ last }) => returned[last]! < invoked[row]!);
      if (lane) [lane.former, lane.last] = [lane.last, row];
      else lanes.push((lane = { number: this.laneCount++, last: row, former: -1 }));
      this.lane[row] = lane.number;
      this.place[row] = lane.former < 0 ? 1 : this.place[lane.former]! + 1;
    }
  }

  /** Those just before the access: all others that the client did before it are before one of them. */
  get before(): { readonly starts: Int32Array; readonly rows: readonly number[] } {
    return { starts: this.#starts, rows: this.#before };
  }

  #addBefore({ invoked, returned }: AccessLog, lanes: Lane[], row: number): void {
    const start = this.#before.length;
    let latest = -1;
    for (const { last, former } of lanes) {
      // If the last of the lane is not over by now, the one before it is: it was before the last began.
      const before = returned[last]! < invoked[row]! ? last : former;
      if (before < 0) continue;
      this.#before.push(before);
      latest = Math.max(latest, before);
    }
    if (this.#before.length - start < 2) return;
    const needed = this.#before.splice(start).filter((each) => returned[each]! >= invoked[latest]!);
    this.#before.push(...needed);
  }
}
