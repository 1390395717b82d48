import type { Source } from "./source.js";

/** How strings and comments are told from brackets. */
export interface FormSyntax {
  /** `;` begins a comment, `\` a character, `#` something that goes on. */
  readonly isEdn: boolean;
}

const [newline, tab, carriageReturn, space, comma] = ["\n", "\t", "\r", " ", ","].map(code);
const [quote, backslash, semicolon, hash] = ['"', "\\", ";", "#"].map(code);
const [openRound, openSquare, openCurly] = ["(", "[", "{"].map(code);
const [closeRound, closeSquare, closeCurly] = [")", "]", "}"].map(code);

/**
 * Cuts a text that comes in pieces into its forms: the maps that stand one after the other, or in one array,
 * vector or list around all of them. Only what is needed to see where a form ends is looked at here.
 */
export class FormSplitter {
  readonly #source: Source;
  readonly #isEdn: boolean;
  readonly #onForm: (form: string) => void;
  /** What of the present form was in earlier pieces. */
  #rest = "";
  #isInForm = false;
  #depth = 0;
  #inside: "code" | "string" | "comment" = "code";
  #skipsNext = false;
  #line = 1;
  #wrapped: "not yet" | "no" | "open" | "closed" = "not yet";

  constructor(source: Source, { isEdn }: FormSyntax, onForm: (form: string) => void) {
    this.#source = source;
    this.#isEdn = isEdn;
    this.#onForm = onForm;
  }

  push(piece: string): void {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const char = piece.charCodeAt(at);
      if (char === newline) this.#line++;
      if (this.#skipsNext) this.#skipsNext = false;
      else if (this.#inside === "comment") {
        if (char === newline) this.#inside = "code";
      } else if (this.#inside === "string") {
        if (char === backslash) this.#skipsNext = true;
        else if (char === quote) this.#inside = "code";
      } else if (this.#isEdn && char === semicolon) this.#inside = "comment";
      else if (!this.#isInForm) {
        if (!this.#begins(char, piece[at]!)) continue;
        start = at;
        this.#isInForm = true;
        this.#depth = char === hash ? 0 : 1;
        this.#source.line = this.#line;
      } else if (char === quote) this.#inside = "string";
      else if (char === backslash && this.#isEdn) this.#skipsNext = true;
      else if (char === openCurly || char === openSquare || char === openRound) this.#depth++;
      else if (char === closeCurly || char === closeSquare || char === closeRound) {
        if (--this.#depth > 0) continue;
        const form = this.#source.joined(this.#rest, piece.slice(start, at + 1));
        this.#rest = "";
        this.#isInForm = false;
        this.#onForm(form);
      }
    }
    if (this.#isInForm) this.#rest = this.#source.joined(this.#rest, piece.slice(start));
  }

  end(): void {
    if (this.#isInForm) {
      throw this.#source.malformed("the file ends in the middle of what begins here; is it cut off?");
    }
    this.#source.line = this.#line;
    if (this.#wrapped === "open") {
      throw this.#source.malformed("the file ends before the bracket around all is closed; is it cut off?");
    }
  }

  /** Whether a form begins with this character, which stands between forms. */
  #begins(char: number, shown: string): boolean {
    if (char === space || char === newline || char === comma || char === tab || char === carriageReturn) {
      return false;
    }
    if (this.#wrapped === "not yet") {
      const opens = char === openSquare || (this.#isEdn && char === openRound);
      this.#wrapped = opens ? "open" : "no";
      if (opens) return false;
    }
    if (this.#wrapped === "open" && (char === closeSquare || (this.#isEdn && char === closeRound))) {
      this.#wrapped = "closed";
      return false;
    }
    const mayBegin = char === openCurly || (this.#isEdn && char === hash);
    if (mayBegin && this.#wrapped !== "closed") return true;
    this.#source.line = this.#line;
    const expected = this.#wrapped === "closed" ? "the end, after the last bracket" : "an operation, in { }";
    throw this.#source.malformed(`${JSON.stringify(shown)} stands here; expected ${expected}`);
  }
}

function code(character: string): number {
  return character.charCodeAt(0);
}
