import { sessionsOf } from "./dependency-graph.js";
import type { Observations } from "./observations.js";

/**
 * The transactions of each client as chains, in which each was over when the next began: one chain, unless
 * the client did several things at a time, or never heard how one ended.
 */
export class SessionChains {
  readonly members: number[][] = [];
  /** By transactions; -1 for those that did not take place. */
  readonly chainOf: Int32Array;
  readonly placeOf: Int32Array;
  readonly #observations: Observations;
  /** By chains: the first chain of the same client; its other ones follow. */
  readonly #firstOfClient: number[] = [];
  /** By keys, for each chain with writes of it: the places of the writers in the chain. */
  readonly #writers: Map<number, number[]>[];

  constructor(observations: Observations) {
    const { operations, tookPlace, keys } = observations;
    this.#observations = observations;
    this.chainOf = new Int32Array(operations.length).fill(-1);
    this.placeOf = new Int32Array(operations.length);
    this.#writers = keys.map(() => new Map<number, number[]>());
    for (const session of sessionsOf(observations)) {
      const first = this.members.length;
      for (const transaction of session) if (tookPlace[transaction] === 1) this.#add(transaction, first);
    }
  }

  #add(transaction: number, first: number): void {
    const { operations, firstVersion, versionKey } = this.#observations;
    let chain = first;
    const isOver = (other: number) => operations[other]!.returned < operations[transaction]!.invoked;
    while (chain < this.members.length && !isOver(this.members[chain]!.at(-1)!)) chain++;
    if (chain === this.members.length) {
      this.members.push([]);
      this.#firstOfClient.push(first);
    }
    const place = this.members[chain]!.push(transaction) - 1;
    this.chainOf[transaction] = chain;
    this.placeOf[transaction] = place;
    for (let version = firstVersion[transaction]!; version < firstVersion[transaction + 1]!; version++) {
      const writers = this.#writers[versionKey[version]!]!;
      const places = writers.get(chain);
      if (places === undefined) writers.set(chain, [place]);
      else if (places.at(-1) !== place) places.push(place);
    }
  }

  /** Of each chain of the same client, the last transaction that was over when this one began. */
  *before(transaction: number): IterableIterator<number> {
    const { operations } = this.#observations;
    const own = this.chainOf[transaction]!;
    const first = this.#firstOfClient[own]!;
    for (let chain = first; this.#firstOfClient[chain] === first; chain++) {
      const members = this.members[chain]!;
      const { invoked } = operations[transaction]!;
      const place =
        chain === own
          ? this.placeOf[transaction]! - 1
          : lastThat(members.length, (at) => operations[members[at]!]!.returned < invoked);
      if (place >= 0) yield members[place]!;
    }
  }

  /** The chains with writes of this key. */
  chainsWriting(key: number): IterableIterator<number> {
    return this.#writers[key]!.keys();
  }

  /** The last in this chain, up to the place, that writes the key; -1 if none does. */
  lastWriter(key: number, chain: number, place: number): number {
    const places = this.#writers[key]!.get(chain);
    if (places === undefined) return -1;
    const last = lastThat(places.length, (at) => places[at]! <= place);
    return last < 0 ? -1 : this.members[chain]![places[last]!]!;
  }
}

/** The last of so many numbers for which it is true, where it is true of the first ones only; else -1. */
function lastThat(count: number, isTrue: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTrue(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
