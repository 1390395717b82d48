/** Operations in the order of their calls, from which some can be taken, and put back in reverse order. */
export class CallList {
  /** The operation after each; there is always one that is greater, as the end is. */
  readonly next: Int32Array;
  readonly #previous: Int32Array;
  readonly #end: number;

  constructor(count: number) {
    this.#end = count;
    this.next = new Int32Array(count + 1);
    this.#previous = new Int32Array(count + 1);
    for (let index = 0; index < count; index++) {
      this.next[index] = index + 1;
      this.#previous[index + 1] = index;
    }
    this.#previous[0] = count;
  }

  get first(): number {
    return this.next[this.#end]!;
  }

  unlink(operation: number): void {
    const next = this.next[operation]!;
    const previous = this.#previous[operation]!;
    this.next[previous] = next;
    this.#previous[next] = previous;
  }

  relink(operation: number): void {
    this.next[this.#previous[operation]!] = operation;
    this.#previous[this.next[operation]!] = operation;
  }
}
