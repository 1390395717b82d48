import { LockstepError } from "../../base/errors.js";

/** In characters: much more than any line or map has, and less than would not fit into a string. */
const longest = 2 ** 27;

/** Where in a file the reading stands, so that people find what is wrong there. */
export class Source {
  readonly file: string;
  line = 1;

  constructor(file: string) {
    this.file = file;
  }

  /** What to throw: `what` says what is wrong with the line, and what was expected. */
  malformed(what: string): LockstepError {
    return new LockstepError("bad-input", `${this.file}:${this.line}: ${what}`);
  }

  /** A line or a map that came in two pieces. */
  joined(one: string, other: string): string {
    if (one.length + other.length <= longest) return one + other;
    throw this.malformed(`what begins here goes on for more than ${longest} characters; is it a history?`);
  }
}
