const everyMs = 100;
const clearLine = "\r\u001b[K";

/** How far long work has got, in one line for the person at the terminal; nobody else sees it. */
export class Progress {
  readonly #what: string;
  readonly #total: number | undefined;
  readonly #isShown = process.stderr.isTTY;
  #done = 0;
  #shownAt = Date.now();

  /** The work is told by what it is, and by how much of it there is, if that is known. */
  constructor(what: string, total?: number) {
    this.#what = what;
    this.#total = total;
  }

  add(amount: number): void {
    this.#done += amount;
    const now = Date.now();
    if (!this.#isShown || now - this.#shownAt < everyMs) return;
    this.#shownAt = now;
    this.show();
  }

  show(): void {
    if (!this.#isShown) return;
    const share = this.#total ? `, ${Math.min(100, Math.floor((100 * this.#done) / this.#total))}%` : "";
    process.stderr.write(`${clearLine}${this.#what}${share}…`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write(clearLine);
  }
}
