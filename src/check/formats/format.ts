import type { History } from "../history.js";
import type { Source } from "./source.js";

/** A way to write a history into a file. */
export interface Format {
  /** Whether a text that begins so is of this format, most likely. */
  recognises(head: string): boolean;
  read(source: Source): FormatReader;
}

/** Takes a text in pieces, wherever they were cut. Throws at the first line that makes no sense. */
export interface FormatReader {
  push(piece: string): void;
  end(): History;
}
