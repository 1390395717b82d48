/** How many ranges lie over each of many places, where ranges come and go; made to find the bare places. */
export class Cover {
  readonly #size: number;
  /**
   * A tree: over the places below a node lie, beside the ranges counted in nodes above it, at least so many.
   */
  readonly #least: Int32Array;
  /** Those counted here: they lie over all places below the node. */
  readonly #whole: Int32Array;

  constructor(count: number) {
    this.#size = 1;
    while (this.#size < count) this.#size *= 2;
    this.#least = new Int32Array(2 * this.#size);
    this.#whole = new Int32Array(2 * this.#size);
  }

  /**
   * Adds that many ranges from the first to the last place, both included. If negative, it takes away ranges
   * that were added just so: none is ever counted below zero.
   */
  add(first: number, last: number, ranges: number): void {
    if (first <= last) this.#add(1, 0, this.#size - 1, first, last, ranges);
  }

  /** The places from the first to the last that no range lies over. */
  bare(first: number, last: number): number[] {
    const places: number[] = [];
    this.#collect(1, 0, this.#size - 1, first, last, places);
    return places;
  }

  #add(node: number, low: number, high: number, first: number, last: number, ranges: number): void {
    if (last < low || high < first) return;
    if (first <= low && high <= last) {
      this.#whole[node]! += ranges;
      this.#least[node]! += ranges;
      return;
    }
    const middle = (low + high) >> 1;
    this.#add(2 * node, low, middle, first, last, ranges);
    this.#add(2 * node + 1, middle + 1, high, first, last, ranges);
    const [left, right] = [this.#least[2 * node]!, this.#least[2 * node + 1]!];
    this.#least[node] = this.#whole[node]! + Math.min(left, right);
  }

  /** Where `least` is zero so is `whole`, so whatever is met below such nodes is counted in full. */
  #collect(node: number, low: number, high: number, first: number, last: number, places: number[]): void {
    if (last < low || high < first || this.#least[node]! > 0) return;
    if (low === high) {
      places.push(low);
      return;
    }
    const middle = (low + high) >> 1;
    this.#collect(2 * node, low, middle, first, last, places);
    this.#collect(2 * node + 1, middle + 1, high, first, last, places);
  }
}
