import { LockstepError } from "../../base/errors.js";
import type { History, Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import { Findings } from "./findings.js";
import { microOperationsOf, shownMicroOperation, type MicroOperation } from "./micro-operations.js";
import type { Workload } from "./workload.js";

const fewWrites = 16;

/**
 * What the transactions did, in numbers: a transaction is the place of its operation in the history, a key
 * the place of its first mention, and a version of a key is the place of the write that made it. After all
 * writes come the initial versions, one for each key.
 *
 * A list is a register that holds a version more with each append: it is read from the transaction that
 * appended its last element.
 */
export class Observations {
  readonly history: History;
  readonly workload: Workload;
  readonly operations: readonly Operation[];
  readonly micro: readonly (readonly MicroOperation[])[];
  readonly keys: unknown[] = [];
  /** Of each write: the key, the transaction, what was written. */
  readonly versionKey: number[] = [];
  readonly versionWriter: number[] = [];
  readonly versionValue: unknown[] = [];
  /** Where the versions of each transaction begin; they end where those of the next begin. */
  readonly firstVersion: Int32Array;
  /** The versions that each transaction read of others, in the order of its reads, and where they begin. */
  readonly readVersion: number[] = [];
  readonly firstRead: Int32Array;
  /** Pairs of versions of a key, of which the former is certainly older than the latter. */
  readonly older: number[] = [];
  readonly newer: number[] = [];
  /** 1 for those that took place: all that were answered, and of the unknown those whose writes were seen. */
  readonly tookPlace: Uint8Array;
  /** Of lists, by keys: who read the longest, which shows the order of versions. */
  readonly longestReader: number[] = [];
  readonly findings = new Findings();
  readonly #keyOf = new Map<Identity, number>();
  readonly #versionOf: Map<Identity, number>[] = [];
  /** By versions: the one that its writer wrote of this key before; -1 if it is the first. */
  readonly previousOwn: Int32Array;
  /** By versions: 1 if its writer wrote the key again. */
  readonly #isIntermediate: Uint8Array;
  /** Of transactions that write much: their last version of each key. */
  readonly #installed = new Map<number, Map<number, number>>();

  constructor(history: History, workload: Workload) {
    this.history = history;
    this.workload = workload;
    this.operations = history.operations;
    this.micro = microOperationsOf(history, workload);
    const count = this.operations.length;
    this.firstVersion = new Int32Array(count + 1);
    this.firstRead = new Int32Array(count + 1);
    this.tookPlace = Uint8Array.from(this.operations, ({ outcome }) => (outcome === "ok" ? 1 : 0));
    for (let transaction = 0; transaction < count; transaction++) this.#addWrites(transaction);
    this.previousOwn = new Int32Array(this.writeCount).fill(-1);
    this.#isIntermediate = new Uint8Array(this.writeCount);
    this.#findRewritten();
  }

  /** How many versions were written; their numbers are below it, those of initial versions are not. */
  get writeCount(): number {
    return this.versionKey.length;
  }

  initialVersion(key: number): number {
    return this.versionKey.length + key;
  }

  keyOfVersion(version: number): number {
    return version < this.versionKey.length ? this.versionKey[version]! : version - this.versionKey.length;
  }

  /** The transaction that wrote it; -1 of an initial version. */
  writerOf(version: number): number {
    return version < this.versionWriter.length ? this.versionWriter[version]! : -1;
  }

  keyNumber(key: unknown): number {
    const number = this.#keyOf.get(identity(key));
    if (number !== undefined) return number;
    this.#keyOf.set(identity(key), this.keys.length);
    this.#versionOf.push(new Map());
    return this.keys.push(key) - 1;
  }

  /** The version that this write made; undefined if there was no such write. */
  versionOf(key: number, value: unknown): number | undefined {
    return this.#versionOf[key]!.get(identity(value));
  }

  /** Whether the writer wrote the key again, so that nobody else should have seen this version. */
  isIntermediate(version: number): boolean {
    return this.#isIntermediate[version] === 1;
  }

  /** The version that is there of a key once the transaction is over; -1 if it does not write the key. */
  installedBy(transaction: number, key: number): number {
    const begin = this.firstVersion[transaction]!;
    const end = this.firstVersion[transaction + 1]!;
    if (end - begin > fewWrites) return this.#installedByMany(transaction).get(key) ?? -1;
    for (let version = end - 1; version >= begin; version--) {
      if (this.versionKey[version] === key) return version;
    }
    return -1;
  }

  #installedByMany(transaction: number): ReadonlyMap<number, number> {
    const known = this.#installed.get(transaction);
    if (known !== undefined) return known;
    const installed = new Map<number, number>();
    this.#installed.set(transaction, installed);
    const end = this.firstVersion[transaction + 1]!;
    for (let version = this.firstVersion[transaction]!; version < end; version++) {
      installed.set(this.versionKey[version]!, version);
    }
    return installed;
  }

  hasFailed(transaction: number): boolean {
    return this.operations[transaction]!.outcome === "fail";
  }

  addOlder(older: number, newer: number): void {
    this.older.push(older);
    this.newer.push(newer);
  }

  /**
   * A transaction saw a version that another wrote: what that says of itself. Whoever reads the version goes
   * on to say so with `addRead`.
   */
  see(reader: number, version: number, micro: MicroOperation): void {
    const writer = this.writerOf(version);
    if (writer < 0) return;
    if (this.hasFailed(writer)) {
      this.findings.addRead(this, "G1a", reader, version, micro);
    } else {
      this.tookPlace[writer] = 1;
    }
  }

  /** Of a read whose last version this is. */
  addRead(reader: number, version: number, micro: MicroOperation): void {
    const writer = this.writerOf(version);
    if (writer >= 0 && this.hasFailed(writer)) return;
    if (this.isIntermediate(version)) this.findings.addRead(this, "G1b", reader, version, micro);
    const { readVersion } = this;
    const isNew = readVersion.length === this.firstRead[reader] || readVersion.at(-1) !== version;
    if (isNew) readVersion.push(version);
  }

  /** The versions that the transaction read of others. */
  readsOf(transaction: number): readonly number[] {
    return this.readVersion.slice(this.firstRead[transaction], this.firstRead[transaction + 1]);
  }

  #addWrites(transaction: number): void {
    for (const [action, key, value] of this.micro[transaction]!) {
      const keyNumber = this.keyNumber(key);
      if (action === "r") continue;
      const versions = this.#versionOf[keyNumber]!;
      const id = identity(value);
      if (versions.has(id) || id === null) {
        const advice = id === null ? "null is what a key holds at first" : "it was written before";
        throw new LockstepError(
          "bad-input",
          `each write of a key needs a value of its own, not ${shownMicroOperation([action, key, value])}: ` +
            advice,
        );
      }
      versions.set(id, this.versionKey.length);
      this.versionKey.push(keyNumber);
      this.versionWriter.push(transaction);
      this.versionValue.push(value);
    }
    this.firstVersion[transaction + 1] = this.versionKey.length;
  }

  #findRewritten(): void {
    const lastOf = new Int32Array(this.keys.length).fill(-1);
    for (let version = 0; version < this.writeCount; version++) {
      const key = this.versionKey[version]!;
      const last = lastOf[key]!;
      lastOf[key] = version;
      if (last < 0 || this.versionWriter[last] !== this.versionWriter[version]) continue;
      this.previousOwn[version] = last;
      this.#isIntermediate[last] = 1;
    }
  }
}
