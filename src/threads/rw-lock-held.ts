import { LockstepError } from "../base/errors.js";
import { refusalOf, type Patience } from "../base/patience.js";
import { Held } from "../sync/held.js";
import { Futex, type SyncPatience } from "./futex.js";
import type { PermitLine } from "./permit-line.js";

/** The right to read, together with others. */
export class ReadHeld extends Held {
  readonly #line: PermitLine;
  #isUpgrading = false;

  /** @internal */
  constructor(line: PermitLine) {
    super(line, 1);
    this.#line = line;
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
   * *Failure*: throws 'misuse' when another reader is being upgraded already, since each would wait for the
   * other to stop reading. When it gives up, this hold is still held.
   */
  async upgrade(patience?: Patience): Promise<WriteHeld> {
    const refusal = refusalOf(patience);
    if (refusal !== undefined) return refusal;
    this.#checkUpgrade();
    this.#isUpgrading = true;
    try {
      await this.#line.upgrade(patience ?? {});
    } finally {
      this.#isUpgrading = false;
    }
    return this.#become();
  }

  /** The same, and blocks the thread until then: in workers. */
  upgradeSync(patience?: SyncPatience): WriteHeld {
    Futex.checkMayBlock(patience, "await held.upgrade()");
    this.#checkUpgrade();
    this.#line.upgradeSync(patience?.timeoutMs);
    return this.#become();
  }

  #checkUpgrade(): void {
    if (!this.isHeld) {
      throw new LockstepError("misuse", "it was released; acquire the lock to write instead");
    }
    if (this.#isUpgrading) throw new LockstepError("misuse", "it is being upgraded already; await that");
  }

  #become(): WriteHeld {
    this.end();
    return new WriteHeld(this.#line);
  }
}

/** The right to write, alone. */
export class WriteHeld extends Held {
  readonly #line: PermitLine;

  /** @internal */
  constructor(line: PermitLine) {
    super(line, line.total);
    this.#line = line;
  }

  /**
   * Becomes a reader, with nobody writing in between; readers that are next go in beside it. Then this hold
   * has ended, and the one that is given back is to be released.
   */
  downgrade(): ReadHeld {
    this.end();
    this.#line.takeBack(this.weight - 1);
    return new ReadHeld(this.#line);
  }
}
