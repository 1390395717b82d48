import { LockstepError } from "../../base/errors.js";

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
}
