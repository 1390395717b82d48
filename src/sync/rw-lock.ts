import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { deadlockWatch } from "./deadlock-watch.js";
import { Held } from "./held.js";
import { checkLockOptions, type LockOptions } from "./lock-options.js";
import { Permits, Want } from "./permits.js";
import { runHolding } from "./section.js";

export interface RwLockOptions extends LockOptions {
  /**
   * Whom to let in first. Unless given, nobody: first come, first served, and readers that stand side by side
   * go in together. Those who are preferred can keep the others out for ever.
   */
  prefer?: "readers" | "writers" | undefined;
}

/** More readers than there will ever be. */
const everyone = 2 ** 30;
/** A reader that becomes the writer goes before all others, for they all wait for it to leave. */
const upgradeLane = 0;
/** For readers and writers, by whom to prefer. */
const lanes = {
  nobody: { readers: 1, writers: 1 },
  readers: { readers: 1, writers: 2 },
  writers: { readers: 2, writers: 1 },
};

/**
 * Many readers at once, or one writer: for tasks that read shared state across `await`s.
 *
 * *Fairness*: first come, first served, unless readers or writers are preferred. So a reader waits behind a
 * writer that waits, even while others read; a task that reads must not ask to read again.
 *
 * *Cancellation*: an acquire whose signal aborts or whose time is up rejects, is never granted, and makes way
 * for those behind it.
 */
export class RwLock {
  /** To be held by many at once. */
  readonly read: RwLockSide<ReadHeld>;
  /** To be held by one alone. */
  readonly write: RwLockSide<WriteHeld>;
  readonly #permits: Permits;

  constructor(options: RwLockOptions = {}) {
    const { what, clock } = checkLockOptions("read-write lock", options, ["prefer"]);
    const { prefer = "nobody" } = options;
    if (!Object.hasOwn(lanes, prefer)) {
      throw new LockstepError("bad-input", `prefer must be "readers" or "writers", not ${shown(prefer)}`);
    }
    const { readers, writers } = lanes[prefer];
    this.#permits = new Permits(what, everyone, clock, 3);
    this.read = new RwLockSide(this.#permits, new ReadWant(1, readers));
    this.write = new RwLockSide(this.#permits, new WriteWant(everyone, writers));
  }

  /** How many read now. */
  get readers(): number {
    return this.isWriting ? 0 : everyone - this.#permits.free;
  }

  /** Whether somebody has it to write. */
  get isWriting(): boolean {
    return this.#permits.free === 0;
  }

  /** How many wait, to read or to write. */
  get waiting(): number {
    return this.#permits.waiting();
  }
}

/** One of the two ways to hold a read-write lock, in the shape of a mutex. */
export class RwLockSide<H extends Held> {
  readonly #permits: Permits;
  readonly #want: Want<H>;

  /** @internal */
  constructor(permits: Permits, want: Want<H>) {
    this.#permits = permits;
    this.#want = want;
  }

  /** Takes it, or waits for it. */
  acquire(patience?: Patience): Promise<H> {
    return refusalOf(patience) ?? this.#permits.take(this.#want, patience);
  }

  /** Takes it at once if it may, without any promise; says null if it may not. */
  tryAcquire(): H | null {
    return this.#permits.tryTake(this.#want);
  }

  /** Acquires, runs the section, releases. */
  run<T>(section: (held: H) => T, patience?: Patience): Promise<Awaited<T>> {
    return runHolding(() => this.acquire(patience), section);
  }
}

/** The right to read, together with others. */
export class ReadHeld extends Held {
  readonly #permits: Permits;

  /** @internal */
  constructor(permits: Permits) {
    super(permits, 1);
    this.#permits = permits;
  }

  override release(): void {
    if (this.#isUpgrading) {
      throw new LockstepError(
        "misuse",
        "it is being upgraded; await the upgrade, or abort its signal, before the release",
      );
    }
    super.release();
  }

  /**
   * Becomes the writer, as soon as all other readers have left, and before anyone else writes: what was read
   * still holds. Then this hold has ended, and the one that is given back is to be released.
   *
   * *Failure*: rejects with 'misuse' when another reader is being upgraded already, since each would wait for
   * the other to stop reading. When it gives up, this hold is still held.
   */
  upgrade(patience?: Patience): Promise<WriteHeld> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    if (!this.isHeld) {
      return misuse("it was released; acquire the lock to write instead");
    }
    if (this.#isUpgrading) {
      return misuse("it is being upgraded already; await that upgrade");
    }
    if (this.#permits.isWaitedFor(upgradeLane)) {
      return misuse(
        "another reader is being upgraded, and each would wait for the other to stop reading; " +
          "release this one and acquire the lock to write, then look again at what was read",
      );
    }
    return this.#permits.take(new UpgradeWant(this), patience);
  }

  /** Asked of the queue itself, which knows in the very turn in which the upgrade gives up. */
  get #isUpgrading(): boolean {
    if (!this.#permits.isWaitedFor(upgradeLane)) return false;
    const [first] = this.#permits.waiters();
    return first?.request instanceof UpgradeWant && first.request.reader === this;
  }
}

function misuse(message: string): Promise<never> {
  return Promise.reject(new LockstepError("misuse", message));
}

/** The right to write, alone. */
export class WriteHeld extends Held {
  readonly #permits: Permits;

  /** @internal */
  constructor(permits: Permits) {
    super(permits, everyone);
    this.#permits = permits;
  }

  /**
   * Becomes a reader, with nobody writing in between; readers that are next go in beside it. Then this hold
   * has ended, and the one that is given back is to be released.
   */
  downgrade(): ReadHeld {
    this.end();
    const held = new ReadHeld(this.#permits);
    deadlockWatch?.replaced(this, held);
    this.#permits.takeBack(everyone - 1);
    return held;
  }
}

class ReadWant extends Want<ReadHeld> {
  override issue(permits: Permits): ReadHeld {
    return new ReadHeld(permits);
  }
}

class WriteWant extends Want<WriteHeld> {
  override issue(permits: Permits): WriteHeld {
    return new WriteHeld(permits);
  }
}

/** All the permits that a reader lacks to be the writer. */
class UpgradeWant extends WriteWant {
  readonly reader: ReadHeld;

  constructor(reader: ReadHeld) {
    super(everyone - 1, upgradeLane);
    this.reader = reader;
  }

  override issue(permits: Permits): WriteHeld {
    // In the turn of the grant: nobody may release the reader's part of it any more.
    this.reader.end();
    return super.issue(permits);
  }
}
