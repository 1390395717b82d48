/** What kind of trouble it is; stable, for code to branch on. */
export type LockstepErrorCode =
  /** It did not happen in the time allowed; nothing was changed. */
  | "timeout"
  /** The lock, term or session is no longer ours, or may no longer be. */
  | "lost"
  /** The client was closed. */
  | "closed"
  /** The store cannot be reached or cannot write. */
  | "unavailable"
  /** The store did not say whether the change was made. */
  | "unknown-outcome"
  /** Waiting would have closed a circle of those who wait for each other; nothing was changed. */
  | "deadlock"
  /** What was tried again and again never went through. */
  | "retries-exhausted"
  /** The engine does not promise what was asked of it. */
  | "unsupported"
  /** An optional package is not installed; the message names the command that installs it. */
  | "missing-peer"
  /** An argument makes no sense; nothing was changed. */
  | "bad-input"
  /** A call in the wrong state, such as releasing twice; nothing was changed. */
  | "misuse";

/** Whether the change behind a failed call was certainly not made, or may have been. */
export type Applied = "no" | "maybe";

/** Every failure that Lockstep reports, save a caller's own abort, which rethrows `signal.reason`. */
export class LockstepError extends Error {
  override readonly name = "LockstepError";
  readonly code: LockstepErrorCode;
  readonly applied: Applied;

  constructor(
    code: LockstepErrorCode,
    message: string,
    details: { cause?: unknown; applied?: Applied } = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.applied = details.applied ?? "no";
  }
}

export function isLockstepError(error: unknown, code?: LockstepErrorCode): error is LockstepError {
  return error instanceof LockstepError && (code === undefined || error.code === code);
}
