import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../base/errors.js";
import { nonce } from "../../base/nonce.js";
import type { Entry, Revision } from "../../store/change.js";
import {
  decodeHeader,
  decodeJournal,
  encodeFrame,
  encodeHeader,
  type Damage,
  type JournalRecord,
} from "./journal-format.js";

/** What the journals of a directory add up to. */
export interface Recovered {
  readonly entries: readonly Entry[];
  readonly ceiling: Revision;
}

/** Each journal's name begins with the generation that it belongs to. */
const journalName = /^kept-(\d+)-\w+\.journal$/;

/**
 * The durable copy of the unbound keys: journals, each written by one client alone, so that nobody ever waits
 * for another's flush. Of what they say about a key, the highest revision counts; so neither the order of the
 * journals matters nor whether something is told twice.
 *
 * A new generation begins with a journal of all that there is, and makes those of earlier generations
 * superfluous: whatever a client still adds to one of them was committed before, and is in the new one.
 */
export class Journals {
  readonly #directory: string;
  #own: { readonly generation: number; readonly file: FileHandle; length: number } | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Throws where a journal is none of ours, or of a newer format. Reads no more than their beginnings. */
  check(): void {
    for (const name of this.#names()) {
      const path = join(this.#directory, name);
      const damage = decodeHeader(readStart(path));
      if (typeof damage === "string") throw refusal(path, damage);
    }
  }

  /** Adds up all journals. Throws where one is damaged: what was acknowledged must not be lost in silence. */
  recover(): Recovered {
    const latest = new Map<string, { revision: Revision; entry: Entry | undefined }>();
    let ceiling = 0n;
    for (const record of this.#names().flatMap((name) => this.#read(name))) {
      if (record.kind === "complete") continue;
      if (record.kind === "ceiling") {
        if (record.revision > ceiling) ceiling = record.revision;
        continue;
      }
      const entry = record.kind === "put" ? record.entry : undefined;
      const key = record.kind === "put" ? record.entry.key : record.key;
      const revision = record.kind === "put" ? record.entry.modified : record.revision;
      const known = latest.get(key);
      if (!known || revision > known.revision) latest.set(key, { revision, entry });
    }
    return { ceiling, entries: [...latest.values()].flatMap(({ entry }) => entry ?? []) };
  }

  /** Begins a generation: on disk, under its name, when the call returns. */
  begin(generation: number, entries: Iterable<Entry>, ceiling: Revision): void {
    const path = join(this.#directory, `kept-${generation}-base.journal`);
    const draft = `${path}.draft`;
    const puts = [...entries].map((entry): JournalRecord => ({ kind: "put", entry }));
    const frames = [encodeHeader(), encodeFrame([{ kind: "ceiling", revision: ceiling }])];
    for (const put of puts) frames.push(encodeFrame([put]));
    frames.push(encodeFrame([{ kind: "complete" }]));
    writeFileSync(draft, Buffer.concat(frames), { flush: true });
    renameSync(draft, path);
    this.#flushDirectory();
  }

  /** Removes what earlier generations left. */
  forgetBefore(generation: number): void {
    for (const name of readdirSync(this.#directory)) {
      const found = /^kept-(\d+)-.*\.journal(\.draft)?$/.exec(name);
      if (found && Number(found[1]) < generation) rmSync(join(this.#directory, name), { force: true });
    }
  }

  /** How many journals there are, and so whether it is worth while to begin a generation. */
  count(): number {
    return this.#names().length;
  }

  /** The highest generation that any journal is of. */
  generation(): number {
    return Math.max(0, ...this.#names().map((name) => Number(journalName.exec(name)?.[1])));
  }

  /** How long our own journal has become. */
  get ownLength(): number {
    return this.#own?.length ?? 0;
  }

  /** Adds records to our journal of a generation; resolves when they are on disk. One call at a time. */
  async append(generation: number, records: readonly JournalRecord[]): Promise<void> {
    if (this.#own?.generation !== generation) await this.#openOwn(generation);
    const own = this.#own;
    if (!own) return;
    const frame = encodeFrame(records);
    try {
      await own.file.appendFile(frame);
      await own.file.datasync();
      own.length += frame.length;
    } catch (error) {
      // Its end may be torn, or not be on disk though it is in memory; nothing more may follow it.
      await this.#closeOwn();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#closeOwn();
  }

  async #openOwn(generation: number): Promise<void> {
    await this.#closeOwn();
    const file = await open(join(this.#directory, `kept-${generation}-${nonce()}.journal`), "ax", 0o660);
    try {
      await file.appendFile(encodeHeader());
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#flushDirectory();
    this.#own = { generation, file, length: 0 };
  }

  async #closeOwn(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    await own?.file.close();
  }

  #names(): string[] {
    return readdirSync(this.#directory).filter((name) => journalName.test(name));
  }

  #read(name: string): JournalRecord[] {
    const path = join(this.#directory, name);
    const records = decodeJournal(readFileSync(path));
    if (typeof records === "string") throw refusal(path, records);
    // A base got its name when it was whole on disk; one that is cut short was damaged since.
    if (name.includes("-base.") && records.at(-1)?.kind !== "complete") throw refusal(path, "damaged");
    return records;
  }

  /** A new name must survive a power failure as well as what it names. */
  #flushDirectory(): void {
    const directory = openSync(this.#directory, "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

function readStart(path: string): Buffer {
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(64);
    return start.subarray(0, readSync(file, start, 0, start.length, 0));
  } finally {
    closeSync(file);
  }
}

function refusal(path: string, damage: Damage): LockstepError {
  if (damage === "newer") {
    return new LockstepError(
      "unsupported",
      `lmdb: ${path} was written by a newer Lockstep: upgrade lockstep, or choose another directory`,
    );
  }
  const how = damage === "foreign" ? "is no journal of Lockstep, or is damaged" : "is damaged";
  return new LockstepError(
    "unavailable",
    `lmdb: ${path} ${how}; restore the directory from a backup, or choose another`,
  );
}
