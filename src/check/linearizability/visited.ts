const leastRoom = 64;
const none = -1;

/**
 * Where a search has been. A place is told by some integers and by a set of what was used to get there, in
 * words of bits: to be at the same place having used no more is as good.
 */
export class Visited {
  readonly #length: number;
  readonly #stride: number;
  /** Of each hash, the record that was added last. */
  #heads = new Int32Array(leastRoom).fill(none);
  /** The record added before it with such a hash, the hash, the place, what was used; one after the other. */
  #records: Int32Array;
  #size = 0;
  /** How many records were compared so far. */
  compared = 0;

  constructor(length: number, words: number) {
    this.#length = length;
    this.#stride = 2 + length + words;
    this.#records = new Int32Array(leastRoom * this.#stride);
  }

  /** How much it keeps in mind, in words of 32 bits. */
  get words(): number {
    return this.#size * this.#stride;
  }

  /** Whether it has been there, or where it is as good; if not, this is written down. */
  has(place: Int32Array, used: Int32Array): boolean {
    const hash = hashOf(place);
    const records = this.#records;
    let record = this.#heads[hash & (this.#heads.length - 1)]!;
    while (record !== none) {
      this.compared++;
      if (records[record + 1] === hash && this.#isAsGood(record + 2, place, used)) return true;
      record = records[record]!;
    }
    this.#add(hash, place, used);
    return false;
  }

  /** Forgets all, in no more time than it took to add it. */
  clear(): void {
    const last = this.#heads.length - 1;
    for (let at = 0; at < this.#size * this.#stride; at += this.#stride) {
      this.#heads[this.#records[at + 1]! & last] = none;
    }
    this.#size = 0;
  }

  #isAsGood(at: number, place: Int32Array, used: Int32Array): boolean {
    const records = this.#records;
    for (let index = 0; index < place.length; index++) {
      if (records[at + index] !== place[index]) return false;
    }
    const usedAt = at + this.#length;
    for (let word = 0; word < used.length; word++) {
      if ((records[usedAt + word]! & ~used[word]!) !== 0) return false;
    }
    return true;
  }

  #add(hash: number, place: Int32Array, used: Int32Array): void {
    if (this.#size === this.#heads.length) this.#grow();
    const at = this.#size++ * this.#stride;
    const records = this.#records;
    const bucket = hash & (this.#heads.length - 1);
    records[at] = this.#heads[bucket]!;
    records[at + 1] = hash;
    for (let index = 0; index < place.length; index++) records[at + 2 + index] = place[index]!;
    const usedAt = at + 2 + this.#length;
    for (let word = 0; word < used.length; word++) records[usedAt + word] = used[word]!;
    this.#heads[bucket] = at;
  }

  #grow(): void {
    const records = new Int32Array(this.#records.length * 2);
    records.set(this.#records);
    this.#records = records;
    this.#heads = new Int32Array(this.#heads.length * 2).fill(none);
    const last = this.#heads.length - 1;
    for (let at = 0; at < this.#size * this.#stride; at += this.#stride) {
      const bucket = records[at + 1]! & last;
      records[at] = this.#heads[bucket]!;
      this.#heads[bucket] = at;
    }
  }
}

function hashOf(place: Int32Array): number {
  let hash = 0;
  for (let index = 0; index < place.length; index++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ place[index]!, 0xc2b2ae35) + 0x9e3779b1;
  }
  return hash ^ (hash >>> 13);
}
