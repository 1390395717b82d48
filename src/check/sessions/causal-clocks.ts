import type { KnownOrder } from "./known-order.js";

/**
 * A clock for each access: how far, in each lane, is what came before it. So whether one access came before
 * another is a single look: at the other's clock, for the lane and the place of the one. Where there are
 * many lanes, the clocks are of some of them only, one block after the other.
 */
export class CausalClocks {
  readonly firstLane: number;
  readonly width: number;
  /** The clock of an access begins at `row * width`. Its own place counts. */
  readonly places: Int32Array;
  readonly #known: KnownOrder;

  constructor(known: KnownOrder, order: Int32Array, firstLane: number, width: number) {
    const { sessions, sources, log } = known;
    const { starts, rows } = sessions.before;
    const places = new Int32Array(log.size * width);
    this.#known = known;
    this.firstLane = firstLane;
    this.width = width;
    this.places = places;
    const join = (row: number, before: number) => {
      let to = row * width;
      const end = (before + 1) * width;
      for (let from = before * width; from < end; from++, to++) {
        const place = places[from]!;
        if (place > places[to]!) places[to] = place;
      }
    };
    for (const row of order) {
      for (let at = starts[row]!; at < starts[row + 1]!; at++) join(row, rows[at]!);
      if (sources[row]! >= 0) join(row, sources[row]!);
      const lane = sessions.lane[row]! - firstLane;
      if (lane >= 0 && lane < width) places[row * width + lane] = sessions.place[row]!;
    }
  }

  /** Whether the first came before the second. The lane of the first must be in this block. */
  isBefore(first: number, second: number): boolean {
    const { lane, place } = this.#known.sessions;
    return this.places[second * this.width + lane[first]! - this.firstLane]! >= place[first]!;
  }
}
