import type { Source } from "./source.js";

/** Cuts a text that comes in pieces into its lines. Blank ones are counted and left out. */
export class LineSplitter {
  readonly #source: Source;
  readonly #onLine: (line: string) => void;
  #rest = "";
  #count = 0;

  constructor(source: Source, onLine: (line: string) => void) {
    this.#source = source;
    this.#onLine = onLine;
  }

  push(piece: string): void {
    let start = 0;
    for (;;) {
      const end = piece.indexOf("\n", start);
      if (end < 0) break;
      this.#line(this.#rest + piece.slice(start, end));
      this.#rest = "";
      start = end + 1;
    }
    this.#rest += piece.slice(start);
  }

  end(): void {
    if (this.#rest !== "") this.#line(this.#rest);
    this.#rest = "";
  }

  #line(line: string): void {
    this.#source.line = ++this.#count;
    if (line.trim() !== "") this.#onLine(line);
  }
}
