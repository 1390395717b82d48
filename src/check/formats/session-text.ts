import type { Format } from "./format.js";
import { HistoryDraft } from "./history-draft.js";
import { LineSplitter } from "./line-splitter.js";
import type { Source } from "./source.js";

/**
 * What each session's transactions read and wrote: `r key value` and `w key value`, transactions parted by
 * `-----`, sessions by `=====`. It says nothing of real time.
 */
export const sessionText: Format = {
  recognises: (head) => /^\s*([rw]\s+\S+\s+\S|-----|=====)/.test(head),
  read: (source) => {
    const sessions = new Sessions(source);
    const splitter = new LineSplitter(source, (line) => sessions.line(line.trim()));
    return {
      push: (piece) => splitter.push(piece),
      end: () => {
        splitter.end();
        sessions.endTransaction();
        return { ...sessions.draft.history(), realTime: false };
      },
    };
  },
};

type Access = readonly [kind: "r" | "w", key: unknown, value: unknown];

class Sessions {
  readonly draft: HistoryDraft;
  readonly #source: Source;
  #session = 0;
  #line = 0;
  #transaction: Access[] = [];

  constructor(source: Source) {
    this.#source = source;
    this.draft = new HistoryDraft(source, "process");
  }

  line(text: string): void {
    if (/^-----+$/.test(text)) this.endTransaction();
    else if (/^=====+$/.test(text)) {
      this.endTransaction();
      this.#session++;
    } else this.#access(text);
  }

  endTransaction(): void {
    const transaction = this.#transaction;
    if (transaction.length === 0) return;
    this.#transaction = [];
    const { line } = this.#source;
    this.#source.line = this.#line;
    const asked = transaction.map(([kind, key, value]) => [kind, key, kind === "r" ? null : value]);
    this.draft.call(this.#session, this.#session, "txn", [asked], undefined);
    this.draft.answer(this.#session, "ok", transaction, undefined);
    this.#source.line = line;
  }

  #access(text: string): void {
    const [kind, key, value, ...more] = text.split(/\s+/);
    if ((kind !== "r" && kind !== "w") || key === undefined || value === undefined || more.length > 0) {
      throw this.#source.malformed(
        `${JSON.stringify(text)} stands here; expected "r key value", "w key value", "-----" or "====="`,
      );
    }
    if (this.#transaction.length === 0) this.#line = this.#source.line;
    this.#transaction.push([kind, word(key), word(value)]);
  }
}

/** A number if it looks like one, and reads back the same. */
function word(text: string): unknown {
  const number = Number(text);
  return String(number) === text && Number.isSafeInteger(number) ? number : text;
}
