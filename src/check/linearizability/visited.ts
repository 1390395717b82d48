const leastRoom = 64;
const none = -1;

/**
 * The configurations that a search has been to: how many answers lie behind, the state, and of the open
 * operations which are settled and which were used (see plan.ts). One is as good as another if it has the same
 * settled and none used that the other has not: whatever can follow the other can follow it.
 */
export class Visited {
  readonly #words: number;
  readonly #stride: number;
  /** Of each hash, the record that was added last. */
  #heads = new Int32Array(leastRoom).fill(none);
  /** The record added before it, the hash, the answers, the state, settled, used; one after the other. */
  #records: Int32Array;
  #size = 0;

  constructor(words: number) {
    this.#words = words;
    this.#stride = 4 + 2 * words;
    this.#records = new Int32Array(leastRoom * this.#stride);
  }

  get size(): number {
    return this.#size;
  }

  /** Whether one as good has been there; if not, this one is written down. */
  has(answers: number, state: number, settled: Int32Array, used: Int32Array): boolean {
    const hash = this.#hash(answers, state, settled);
    const records = this.#records;
    let record = this.#heads[hash & (this.#heads.length - 1)]!;
    while (record !== none) {
      if (records[record + 1] === hash && records[record + 2] === answers && records[record + 3] === state) {
        if (this.#isAsGood(record + 4, settled, used)) return true;
      }
      record = records[record]!;
    }
    this.#add(hash, answers, state, settled, used);
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

  #isAsGood(at: number, settled: Int32Array, used: Int32Array): boolean {
    const words = this.#words;
    for (let word = 0; word < words; word++) {
      if (this.#records[at + word] !== settled[word]) return false;
      if ((this.#records[at + words + word]! & ~used[word]!) !== 0) return false;
    }
    return true;
  }

  #add(hash: number, answers: number, state: number, settled: Int32Array, used: Int32Array): void {
    if (this.#size === this.#heads.length) this.#grow();
    const at = this.#size++ * this.#stride;
    const records = this.#records;
    const bucket = hash & (this.#heads.length - 1);
    records[at] = this.#heads[bucket]!;
    records[at + 1] = hash;
    records[at + 2] = answers;
    records[at + 3] = state;
    records.set(settled, at + 4);
    records.set(used, at + 4 + this.#words);
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

  #hash(answers: number, state: number, settled: Int32Array): number {
    let hash = Math.imul(answers, 0x9e3779b1) ^ Math.imul(state + 1, 0x85ebca6b);
    for (let word = 0; word < this.#words; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ settled[word]!, 0xc2b2ae35);
    }
    return hash ^ (hash >>> 13);
  }
}
