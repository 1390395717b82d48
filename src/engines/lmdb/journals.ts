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
 * A new generation begins with a base, a journal of all that there is at some revision, and makes those of
 * earlier generations superfluous. A client may still add to one of them what it read before: that is no
 * newer than the base, and is not believed beside it.
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
    const names = this.#names();
    const newestBase = `kept-${this.generation()}-base.journal`;
    const base = names.includes(newestBase) ? this.#read(newestBase) : [];
    const complete = base.at(-1);
    const baseRevision = complete?.kind === "complete" ? complete.revision : 0n;
    const latest = new Map<string, Change>();
    let ceiling = 0n;
    for (const name of names) {
      for (const record of name === newestBase ? base : this.#read(name)) {
        if (record.kind === "ceiling" && record.revision > ceiling) ceiling = record.revision;
        const change = changeOf(record);
        if (!change) continue;
        // What is as old as the base and not in it was deleted by then, and the record of that may be gone.
        if (name !== newestBase && change.revision <= baseRevision) continue;
        const known = latest.get(change.key);
        if (!known || change.revision > known.revision) latest.set(change.key, change);
      }
    }
    return { ceiling, entries: [...latest.values()].flatMap(({ entry }) => entry ?? []) };
  }

  /** Begins a generation: on disk, under its name, when the call returns. */
  begin(
    generation: number,
    entries: Iterable<Entry>,
    { revision, ceiling }: { revision: Revision; ceiling: Revision },
  ): void {
    const path = join(this.#directory, `kept-${generation}-base.journal`);
    const draft = `${path}.draft`;
    const puts = [...entries].map((entry): JournalRecord => ({ kind: "put", entry }));
    const frames = [encodeHeader(), encodeFrame([{ kind: "ceiling", revision: ceiling }])];
    for (const put of puts) frames.push(encodeFrame([put]));
    frames.push(encodeFrame([{ kind: "complete", revision }]));
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

/** What became of a key. */
interface Change {
  readonly key: string;
  readonly revision: Revision;
  readonly entry: Entry | undefined;
}

function changeOf(record: JournalRecord): Change | undefined {
  if (record.kind === "delete") return { key: record.key, revision: record.revision, entry: undefined };
  if (record.kind !== "put") return undefined;
  return { key: record.entry.key, revision: record.entry.modified, entry: record.entry };
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
