/** The greatest of the numbers in any range of places, where each of them may change. */
export class Tournament {
  readonly #numbers: Float64Array;
  /** Twice as many as there are places: at 1 the winner of all, at n the winner of those at 2n and 2n + 1. */
  readonly #winners: Uint32Array;

  constructor(numbers: Float64Array) {
    const count = numbers.length;
    this.#numbers = Float64Array.from(numbers);
    this.#winners = new Uint32Array(2 * count);
    for (let place = 0; place < count; place++) this.#winners[count + place] = place;
    for (let match = count - 1; match > 0; match--) this.#play(match);
  }

  set(place: number, number: number): void {
    this.#numbers[place] = number;
    for (let match = (this.#numbers.length + place) >> 1; match > 0; match >>= 1) this.#play(match);
  }

  /** The place of the greatest, from one place to another, both included. */
  greatest(first: number, last: number): number {
    const count = this.#numbers.length;
    let winner = first;
    let from = count + first;
    let to = count + last + 1;
    for (; from < to; from >>= 1, to >>= 1) {
      if ((from & 1) === 1) winner = this.#better(winner, this.#winners[from++]!);
      if ((to & 1) === 1) winner = this.#better(winner, this.#winners[--to]!);
    }
    return winner;
  }

  at(place: number): number {
    return this.#numbers[place]!;
  }

  #play(match: number): void {
    this.#winners[match] = this.#better(this.#winners[2 * match]!, this.#winners[2 * match + 1]!);
  }

  #better(one: number, other: number): number {
    return this.#numbers[other]! > this.#numbers[one]! ? other : one;
  }
}
