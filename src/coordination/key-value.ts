import { LockstepError } from "../base/errors.js";
import { MappedIterator } from "../base/mapped-iterator.js";
import { checkOptions } from "../base/options.js";
import { checkPatience } from "../base/patience.js";
import type { Batch, Condition, Entry, Resync, Snapshot, Write } from "../store/change.js";
import { checkName, checkPrefix } from "../store/keys.js";
import type { Store } from "../store/store.js";
import { checkNeed } from "./needs.js";

/** A key's value and its place in the order of all commits. */
export class KeyValueEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision that made the key. */
  readonly created: bigint;
  /** The revision that last wrote it: what `ifRevision` is compared with. */
  readonly revision: bigint;

  /** @internal */
  constructor(entry: Entry) {
    this.key = entry.key.slice(root.length);
    this.value = entry.value;
    this.created = entry.created;
    this.revision = entry.modified;
  }

  /** The value as UTF-8 text. */
  get text(): string {
    return Buffer.from(this.value.buffer, this.value.byteOffset, this.value.length).toString();
  }
}

export type KeyValueVerdict =
  | { readonly ok: true; readonly revision: bigint }
  /** Refused: `current` is what stands there instead, or null. Nothing was changed. */
  | { readonly ok: false; readonly current: KeyValueEntry | null };

export type KeyValueChange =
  | { readonly kind: "put"; readonly key: string; readonly revision: bigint; readonly entry: KeyValueEntry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: bigint }
  /** How things stand; changes before it may not have been told. */
  | { readonly kind: "resync"; readonly revision: bigint; readonly entries: readonly KeyValueEntry[] };

export interface IfRevision {
  /** Only if the key's revision is still this one; 0n: only if there is no such key. */
  ifRevision?: bigint;
}

const root = "kv/";

/**
 * A linearizable, watched key-value store.
 *
 * *Failure*: a write whose reply was lost throws 'unknown-outcome' with `applied: "maybe"`; read to know, and
 * prefer `ifRevision`, with which trying again is safe.
 */
export class KeyValue {
  readonly #store: Store;

  /** @internal */
  constructor(store: Store) {
    checkNeed("the key-value store", "linearizable reads", store);
    this.#store = store;
  }

  async get(key: string): Promise<KeyValueEntry | null> {
    checkName("the key", key);
    return only(await this.#store.read({ key: root + key }));
  }

  /** Writes a value; with `ifRevision`, only over that very revision. */
  async put(key: string, value: string | Uint8Array, options: IfRevision = {}): Promise<KeyValueVerdict> {
    checkName("the key", key);
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new LockstepError(
        "bad-input",
        `the value of ${JSON.stringify(key)} must be a string or a Uint8Array`,
      );
    }
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    return this.#write({ kind: "put", key: root + key, value: bytes }, options);
  }

  /**
   * Deletes a key; without `ifRevision`, a key that is not there is fine too, and the revision is then that
   * of the last commit that changed anything.
   */
  async delete(key: string, options: IfRevision = {}): Promise<KeyValueVerdict> {
    checkName("the key", key);
    return this.#write({ kind: "delete", key: root + key }, options);
  }

  /**
   * All entries whose keys begin with `prefix`, in the order of their keys, as they stood at one revision.
   */
  async list(prefix = ""): Promise<KeyValueEntry[]> {
    checkPrefix("the prefix", prefix);
    const { entries } = await this.#store.read({ prefix: root + prefix });
    return entries.map((entry) => new KeyValueEntry(entry));
  }

  /**
   * Every change below `prefix`, in order, until the signal aborts or the loop is left. It begins with a
   * resync, which is how things stand; or, given
   * `from`, with what came after that revision, where that is still known. Never a silent gap.
   *
   * *Cancellation*: an abort rethrows the signal's reason.
   */
  watch(
    prefix: string,
    options: { signal?: AbortSignal | undefined; from?: bigint | undefined } = {},
  ): AsyncIterableIterator<KeyValueChange, void> {
    checkPrefix("the prefix", prefix);
    checkOptions(options, ["signal", "from"]);
    checkPatience({ signal: options.signal });
    return new MappedIterator(this.#store.watch(root + prefix, options), changesOf);
  }

  async #write(write: Write, options: IfRevision): Promise<KeyValueVerdict> {
    checkOptions(options, ["ifRevision"]);
    const { ifRevision } = options;
    if ("ifRevision" in options && ifRevision === undefined) {
      throw new LockstepError(
        "bad-input",
        "ifRevision is undefined, which would write over anything; give the revision of an entry, 0n for a " +
          "key that must not be there, as in `ifRevision: entry?.revision ?? 0n`, or leave it out",
      );
    }
    const { key } = write;
    const verdict = await this.#store.commit({
      when: ifRevision === undefined ? [] : [conditionOf(key, ifRevision)],
      then: [write],
      read: { key },
    });
    return verdict.ok
      ? { ok: true, revision: verdict.revision }
      : { ok: false, current: only(verdict.snapshot) };
  }
}

function changesOf(told: Batch | Resync): KeyValueChange[] {
  if (told.kind === "resync") {
    const { revision, entries } = told.snapshot;
    return [{ kind: "resync", revision, entries: entries.map((entry) => new KeyValueEntry(entry)) }];
  }
  return told.events.map((event) => {
    const { kind, revision } = event;
    const key = event.key.slice(root.length);
    return kind === "put"
      ? { kind, key, revision, entry: new KeyValueEntry(event.entry) }
      : { kind, key, revision };
  });
}

function conditionOf(key: string, revision: bigint): Condition {
  if (typeof revision !== "bigint" || revision < 0n) {
    throw new LockstepError(
      "bad-input",
      `ifRevision must be a bigint of 0n or above, such as an entry's revision, not ${String(revision)}`,
    );
  }
  return revision === 0n ? { kind: "absent", key } : { kind: "modified", key, revision };
}

function only(snapshot: Snapshot): KeyValueEntry | null {
  const [entry] = snapshot.entries;
  return entry ? new KeyValueEntry(entry) : null;
}
