/** Something that happened in a simulated world. */
export interface Happening {
  /** In milliseconds since the world began. */
  readonly at: number;
  readonly what: string;
  /** The process that it happened to, or "store". */
  readonly who: string;
}

/**
 * What happened, boiled down to a number: two runs that have the same one went the same way, with certainty
 * enough for a test. And how often each kind of thing happened.
 */
export class Chronicle {
  readonly #onHappening: ((happening: Happening) => void) | undefined;
  readonly #names = new Map<string, number>();
  readonly #tally = new Map<string, number>();
  readonly #time = new Float64Array(1);
  readonly #timeWords = new Int32Array(this.#time.buffer);
  #high = 0x2545f491;
  #low = 0x1b873593;

  constructor(onHappening?: (happening: Happening) => void) {
    this.#onHappening = onHappening;
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** How often each kind of thing that is worth counting happened. */
  get tally(): Record<string, number> {
    return Object.fromEntries([...this.#tally].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  note(at: number, what: string, who: string): void {
    this.#time[0] = at;
    this.#mix(this.#timeWords[0]!);
    this.#mix(this.#timeWords[1]!);
    this.#mix(this.#numberOf(what));
    this.#mix(this.#numberOf(who));
    this.#onHappening?.({ at, what, who });
  }

  /** The same, for what shall be in the tally. */
  count(at: number, what: string, who: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
    this.note(at, what, who);
  }

  #numberOf(name: string): number {
    let number = this.#names.get(name);
    if (number === undefined) this.#names.set(name, (number = this.#names.size));
    return number;
  }

  /** Two hashes in the manner of FNV, which differ in their multiplier. */
  #mix(word: number): void {
    this.#high = Math.imul(this.#high ^ word, 0x01000193);
    this.#high ^= this.#high >>> 15;
    this.#low = Math.imul(this.#low ^ word, 0x5bd1e995);
    this.#low ^= this.#low >>> 13;
  }
}
