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
      this.#take(piece.slice(start, end));
      this.#line();
      start = end + 1;
    }
    this.#take(piece.slice(start));
  }

  end(): void {
    if (this.#rest !== "") this.#line();
  }

  #take(part: string): void {
    if (part === "") return;
    this.#source.line = this.#count + 1;
    this.#rest = this.#source.joined(this.#rest, part);
  }

  #line(): void {
    const line = this.#rest;
    this.#rest = "";
    this.#source.line = ++this.#count;
    if (line.trim() !== "") this.#onLine(line);
  }
}
