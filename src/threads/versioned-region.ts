import type { Clock } from "../base/clock.js";
import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { shown } from "../base/shown.js";
import { Futex, type SyncPatience } from "./futex.js";
import { allocate } from "./handle.js";
import type { Liveness } from "./liveness.js";
import { ShortLock } from "./short-lock.js";

// The version and the writers' lock have a cache line to themselves. Two areas follow, each of which begins
// with how many words of it are used.
const versionAt = 0;
const writersAt = 1;
const firstAreaAt = 16;
const wordBytes = Int32Array.BYTES_PER_ELEMENT;

// The lowest bit of the version's word says that somebody waits for it to change.
const watched = 1;
const nextVersion = 2;
/** So often one is overtaken before one takes the writers' lock. */
const politeTries = 64;

/** What was read of a region, or is to be written to it, in memory of this thread's own. */
export class RegionCopy {
  readonly words: Int32Array;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** How much of it counts. */
  usedBytes = 0;

  constructor(bytes: number) {
    const memory = new ArrayBuffer(roundUp(bytes));
    this.words = new Int32Array(memory);
    this.bytes = new Uint8Array(memory, 0, bytes);
    this.view = new DataView(memory, 0, bytes);
  }
}

/**
 * A region of shared memory of which every reader sees a whole version, and no reader keeps a writer waiting.
 *
 * It is a seqlock with two areas. Version v is in area v % 2, and who writes v + 1 fills the other one and
 * only then raises the version. A reader notes the version, copies its area, and looks at the version again.
 * Every access is an Atomics operation, so all threads agree on one order of them. If the version is still v
 * after the copy, it was v all the while, during which only the other area was written to: the copy is v,
 * whole. If it is not, the area may be in the making of v + 2, and the reader begins anew. (It would err if
 * exactly 2 ** 31 versions were written during one copy.)
 *
 * So a writer that is slow keeps no reader waiting, and one that dies has written nothing: the version that
 * it worked on is not raised, and the area that it leaves half written is the one that nobody reads.
 */
export class VersionedRegion {
  readonly bytes: number;
  readonly #words: Int32Array;
  readonly #areaWords: number;
  readonly #writers: ShortLock;
  readonly #futex: Futex;
  readonly #what: string;
  /** Is used again, for to allocate costs more than to read. */
  #spare: RegionCopy | undefined;
  #isWriting = false;

  /** The bytes of memory for a region of so many bytes. */
  static memoryFor(bytes: number): number {
    return (firstAreaAt + 2 * areaWords(bytes)) * wordBytes;
  }

  /** Memory for a region of so many bytes, of whose first version so many count, all of them zero. */
  static allocate(bytes: number, usedBytes: number): SharedArrayBuffer {
    const memory = allocate(VersionedRegion.memoryFor(bytes));
    new Int32Array(memory)[firstAreaAt] = usedBytes;
    return memory;
  }

  constructor(memory: SharedArrayBuffer, bytes: number, liveness: Liveness, clock: Clock, what: string) {
    this.bytes = bytes;
    this.#words = new Int32Array(memory);
    this.#areaWords = areaWords(bytes);
    this.#writers = new ShortLock(this.#words, writersAt, liveness);
    this.#futex = Futex.ofCrowd(this.#words, versionAt, clock);
    this.#what = what;
  }

  /** Rises with each write, to 2 ** 31 - 1 and then from 0. */
  get version(): number {
    return versionOf(Atomics.load(this.#words, versionAt));
  }

  /** Gives `reader` a copy of the current version, which is its own while it runs. */
  read<T>(reader: (copy: RegionCopy) => T): T {
    const copy = this.#takeCopy();
    try {
      this.#load(copy);
      return reader(copy);
    } finally {
      this.#spare = copy;
    }
  }

  /**
   * Gives `writer` a copy of the current version to change, which becomes the next version when it returns.
   * When another write came between, it is given a new copy; after too many of those, others must wait for
   * it.
   */
  write<T>(writer: (draft: RegionCopy) => T): T {
    if (this.#isWriting) throw writtenWithin(this.#what);
    const draft = this.#takeCopy();
    this.#isWriting = true;
    try {
      for (let tries = 0; tries < politeTries; tries++) {
        const version = this.#load(draft);
        const result = writer(draft);
        if (this.#publishAfter(version, draft, result)) return result;
      }
      return this.#writeAlone(draft, writer);
    } finally {
      this.#isWriting = false;
      this.#spare = draft;
    }
  }

  /** Waits until the version is another one than `since`, and says which. */
  changed(since: number, patience: Patience | undefined): Promise<number> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!isVersion(since)) return Promise.reject(badVersion(since));
    return this.#futex.wait(() => this.#versionAfter(since), patience ?? {}, `a change of ${this.#what}`);
  }

  /** The same for a thread that blocks. */
  changedSync(since: number, patience: SyncPatience | undefined, instead: string): number {
    Futex.checkMayBlock(patience, instead);
    if (!isVersion(since)) throw badVersion(since);
    const attempt = () => this.#versionAfter(since);
    return this.#futex.waitSync(attempt, patience?.timeoutMs, `a change of ${this.#what}`);
  }

  /** A copy that a reader inside another reader may have, too. */
  #takeCopy(): RegionCopy {
    const copy = this.#spare ?? new RegionCopy(this.bytes);
    this.#spare = undefined;
    return copy;
  }

  /** Fills the copy with one whole version, and says which. */
  #load(copy: RegionCopy): number {
    for (let tries = 0; tries < politeTries; tries++) {
      const version = this.version;
      this.#copyOut(version, copy);
      if (this.version === version) return version;
    }
    // Every try was overtaken by a write. Nobody overtakes whoever has the writers' lock.
    this.#writers.enter();
    try {
      const version = this.version;
      this.#copyOut(version, copy);
      return version;
    } finally {
      this.#writers.leave();
    }
  }

  #copyOut(version: number, copy: RegionCopy): void {
    const words = this.#words;
    const area = this.#areaOf(version);
    copy.usedBytes = Atomics.load(words, area);
    const used = Math.ceil(copy.usedBytes / wordBytes);
    for (let word = 0; word < used; word++) copy.words[word] = Atomics.load(words, area + 1 + word);
  }

  /** Makes the draft the next version. Only for the holder of the writers' lock. */
  #publish(draft: RegionCopy): void {
    const words = this.#words;
    const area = this.#areaOf(this.version + 1);
    const used = Math.ceil(draft.usedBytes / wordBytes);
    for (let word = 0; word < used; word++) {
      const value = draft.words[word]!;
      // To look costs less than to write, and most of a version is most often as it was before.
      if (Atomics.load(words, area + 1 + word) !== value) Atomics.store(words, area + 1 + word, value);
    }
    Atomics.store(words, area, draft.usedBytes);
    // One step takes the mark away and raises the version: no watcher can come between the two.
    let seen: number;
    do seen = Atomics.load(words, versionAt);
    while (Atomics.compareExchange(words, versionAt, seen, ((seen & ~watched) + nextVersion) | 0) !== seen);
    if ((seen & watched) !== 0) this.#futex.wake();
  }

  /** Runs the writer with the lock held, so that nobody overtakes it. */
  #writeAlone<T>(draft: RegionCopy, writer: (draft: RegionCopy) => T): T {
    this.#writers.enter();
    try {
      const version = this.version;
      this.#copyOut(version, draft);
      const result = writer(draft);
      if (!this.#publishAfter(version, draft, result)) throw writtenWithin(this.#what);
      return result;
    } finally {
      this.#writers.leave();
    }
  }

  /** Makes the draft the next version; false when it is not made from the latest one. */
  #publishAfter(version: number, draft: RegionCopy, result: unknown): boolean {
    refusePromise(result);
    this.#writers.enter();
    try {
      if (this.version !== version) return false;
      this.#publish(draft);
      return true;
    } finally {
      this.#writers.leave();
    }
  }

  #areaOf(version: number): number {
    return firstAreaAt + (version & 1) * this.#areaWords;
  }

  /** The version if it is not `since` any more; otherwise leaves the mark that makes its writer wake us. */
  #versionAfter(since: number): number | undefined {
    for (;;) {
      const seen = Atomics.load(this.#words, versionAt);
      if (versionOf(seen) !== since) return versionOf(seen);
      if (Atomics.compareExchange(this.#words, versionAt, seen, seen | watched) === seen) return undefined;
    }
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / wordBytes) * wordBytes;
}

/** Areas begin on cache lines of their own, for one is read while the other is written. */
function areaWords(bytes: number): number {
  return Math.ceil((1 + roundUp(bytes) / wordBytes) / 16) * 16;
}

function versionOf(word: number): number {
  return word >>> 1;
}

function writtenWithin(what: string): LockstepError {
  return new LockstepError(
    "misuse",
    `${what} is written again by the function that writes it; change what the function is given instead`,
  );
}

/** Throws 'misuse' for the promise of an async function, which has only begun to write. */
export function refusePromise(result: unknown): void {
  if (typeof result !== "object" || result === null) return;
  // A key called then is as good as any other.
  if (typeof (result as { then?: unknown }).then !== "function") return;
  // Its failure is told here; nobody shall be told of it twice.
  void Promise.resolve(result).catch(() => undefined);
  throw new LockstepError("misuse", "what writes must be done when it returns: await first, and write then");
}

function isVersion(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function badVersion(value: unknown): LockstepError {
  return new LockstepError(
    "bad-input",
    `a version is a whole number, as \`version\` gives it, and not ${shown(value)}`,
  );
}
