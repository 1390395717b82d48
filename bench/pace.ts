const warmUpMs = 60;
const measuredMs = 120;
/** The clock is looked at once in so many times, for that costs more than what is measured. */
const between = 64;

/** Counts what loops do, from the end of a warm-up to the end of a while. */
export class Pace {
  #count = 0;
  #untilLook = between;
  #isOver = false;
  #isWarm = false;
  #since = Infinity;
  #perSecond = NaN;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the warm-up is over, and the rest is not. */
  get isMeasured(): boolean {
    return this.#isWarm && !this.#isOver;
  }

  /** How often a second it was done; known when it is over. */
  get perSecond(): number {
    return this.#perSecond;
  }

  begin(): void {
    this.#since = performance.now();
  }

  /** To be asked once before each time that it is done: whether to do it again. */
  goesOn(): boolean {
    this.#count++;
    if (--this.#untilLook === 0) this.#look();
    return !this.#isOver;
  }

  #look(): void {
    this.#untilLook = between;
    const now = performance.now();
    const elapsed = now - this.#since;
    if (!this.#isWarm && elapsed >= warmUpMs) {
      this.#isWarm = true;
      this.#since = now;
      this.#count = 0;
    } else if (this.#isWarm && !this.#isOver && elapsed >= measuredMs) {
      this.#isOver = true;
      this.#perSecond = this.#count / (elapsed / 1000);
    }
  }
}

/** How often a second a loop does something, when it is the only one. */
export async function paceOf(loop: (pace: Pace) => Promise<void> | void): Promise<number> {
  const pace = new Pace();
  pace.begin();
  await loop(pace);
  return pace.perSecond;
}
