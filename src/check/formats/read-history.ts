import { LockstepError } from "../../base/errors.js";
import { checkOptions } from "../../base/options.js";
import { shown } from "../../base/shown.js";
import type { History } from "../history.js";
import type { Format, FormatReader } from "./format.js";
import { edn, json } from "./jepsen-maps.js";
import { jepsenLog } from "./jepsen-log.js";
import { jsonLines } from "./json-lines.js";
import { sessionText } from "./session-text.js";
import { Source } from "./source.js";

/** In the order in which they are tried: Lockstep's own lines would do for JSON, too. */
const formats = { "json-lines": jsonLines, edn, json, log: jepsenLog, sessions: sessionText } as const;

/** How a history may be written down; see docs/check/formats.md. */
export type FormatName = keyof typeof formats;

export const formatNames = Object.keys(formats) as readonly FormatName[];

export interface ReadOptions {
  /** By default the one that the text looks like. */
  readonly format?: FormatName | undefined;
  /** The file's name, for errors. */
  readonly file?: string | undefined;
}

/**
 * Reads a history. The text may come in pieces, wherever they were cut, and is never held as a whole.
 *
 * @example
 * ```ts
 * const history = await readHistory(createReadStream("history.jsonl", "utf8"));
 * ```
 */
export async function readHistory(
  text: string | Iterable<string> | AsyncIterable<string>,
  options: ReadOptions = {},
): Promise<History> {
  const reader = new HistoryReader(options);
  if (typeof text === "string") reader.push(text);
  else for await (const piece of text) reader.push(piece);
  return reader.end();
}

/** Enough to tell the format by; a longer first line is told by how it begins. */
const headLength = 4096;

/** Takes the text as it comes, and finds out its format if it was not told. */
export class HistoryReader implements FormatReader {
  readonly #source: Source;
  #format: FormatName | undefined;
  #reader: FormatReader | undefined;
  #head = "";
  #isBegun = false;

  constructor(options: ReadOptions = {}) {
    checkOptions(options, ["format", "file"]);
    this.#source = new Source(options.file ?? "history");
    if (options.format !== undefined) this.#open(checkFormat(options.format));
  }

  /** Undefined as long as too little was read to tell. */
  get format(): FormatName | undefined {
    return this.#format;
  }

  push(piece: string): void {
    // Some editors begin a file with a mark that says it is Unicode.
    const text = this.#isBegun || !piece.startsWith("\uFEFF") ? piece : piece.slice(1);
    this.#isBegun ||= piece !== "";
    if (this.#reader) this.#reader.push(text);
    else {
      this.#head += text;
      if (this.#head.length >= headLength) this.#recognise();
    }
  }

  end(): History {
    this.#recognise();
    return this.#reader!.end();
  }

  /** What to throw where the text cannot go on. */
  malformed(what: string): LockstepError {
    return this.#source.malformed(what);
  }

  #recognise(): void {
    if (this.#reader) return;
    const head = this.#head;
    const name = formatNames.find((each) => formats[each].recognises(head));
    if (name === undefined) {
      const found = head.trim() === "" ? "there is nothing in it" : "it is in no format that is known";
      throw this.#source.malformed(`${found}; expected one of ${formatNames.join(", ")}`);
    }
    this.#open(name).push(head);
    this.#head = "";
  }

  #open(name: FormatName): FormatReader {
    this.#format = name;
    const format: Format = formats[name];
    return (this.#reader = format.read(this.#source));
  }
}

function checkFormat(name: FormatName): FormatName {
  if (formatNames.includes(name)) return name;
  throw new LockstepError(
    "bad-input",
    `there is no format ${shown(name)}; there are ${formatNames.join(", ")}`,
  );
}
