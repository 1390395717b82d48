import { constants } from "node:os";
import { isLockstepError, type LockstepErrorCode } from "../base/errors.js";

/** What `lockstep` itself exits with; `run` and `elect` pass their command's status on. */
export const exitStatus = {
  ok: 0,
  /** There is no such key, or a conditional write was refused. */
  no: 1,
  /** Bad usage or bad input. */
  usage: 64,
  /** The store cannot be used. */
  unavailable: 69,
  /** A fault of Lockstep. */
  fault: 70,
  /** Not got in time; trying again later makes sense. */
  timeout: 75,
  lost: 76,
  notExecutable: 126,
  notFound: 127,
} as const;

/** As a shell says it: 128 and the number of the signal. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

const statusOfCode: Record<LockstepErrorCode, number> = {
  "bad-input": exitStatus.usage,
  misuse: exitStatus.usage,
  timeout: exitStatus.timeout,
  deadlock: exitStatus.timeout,
  lost: exitStatus.lost,
  closed: exitStatus.unavailable,
  unavailable: exitStatus.unavailable,
  "unknown-outcome": exitStatus.unavailable,
  "retries-exhausted": exitStatus.unavailable,
  unsupported: exitStatus.unavailable,
  "missing-peer": exitStatus.unavailable,
};

export function statusOfError(error: unknown): number {
  return isLockstepError(error) ? statusOfCode[error.code] : exitStatus.fault;
}
