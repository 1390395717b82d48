import { LockstepError } from "../base/errors.js";
import { checkOptions } from "../base/options.js";
import { shown } from "../base/shown.js";

/**
 * What may go wrong in a simulated world, until it is healed. Each has a default that makes it happen now and
 * then; 0 keeps it away. Times are in milliseconds, and a mean is what they vary around.
 */
export interface Hazards {
  /** What a message takes at least from a process to the store, or back; some take much longer. */
  readonly delayMs: number;
  /** How likely a message takes up to `longDelayMs`. */
  readonly delay: number;
  readonly longDelayMs: number;
  /** How likely a request never arrives. */
  readonly loseRequest: number;
  /** How likely a reply, or news of a watch, never comes. */
  readonly loseReply: number;
  /** How likely a change whose reply was lost arrives once more, up to `longDelayMs` later. */
  readonly duplicate: number;
  /** How far a clock may be too fast or too slow: 0.01 is a hundredth. */
  readonly drift: number;
  /** The mean time from one jump of the wall clock to the next, of each process; so far ahead or back. */
  readonly clockJumpEveryMs: number;
  readonly clockJumpMs: number;
  /** The mean time from one partition to the next, of each process; in one or both directions. */
  readonly partitionEveryMs: number;
  readonly partitionMs: number;
  /** The mean time from one freeze to the next, of each process: its timers and replies wait. */
  readonly freezeEveryMs: number;
  readonly freezeMs: number;
  /** The mean time from one violent death to the next, of each process; it is started again. */
  readonly killEveryMs: number;
  readonly restartMs: number;
  /**
   * The mean time from one failover of the store to the next; it is away meanwhile, and all watches break.
   */
  readonly failoverEveryMs: number;
  readonly failoverMs: number;
  /** At most so many of the last commits are lost in a failover, as where copies are made after the reply. */
  readonly failoverLosesCommits: number;
}

export const usualHazards: Hazards = {
  delayMs: 1,
  delay: 0.02,
  longDelayMs: 10_000,
  loseRequest: 0.01,
  loseReply: 0.01,
  duplicate: 0.3,
  drift: 0.01,
  clockJumpEveryMs: 120_000,
  clockJumpMs: 3_600_000,
  partitionEveryMs: 120_000,
  partitionMs: 10_000,
  freezeEveryMs: 120_000,
  freezeMs: 10_000,
  killEveryMs: 240_000,
  restartMs: 5000,
  failoverEveryMs: 300_000,
  failoverMs: 2000,
  failoverLosesCommits: 0,
};

/** Nothing goes wrong, and messages take as long as they do at their best. */
export const noHazards: Hazards = {
  ...usualHazards,
  delay: 0,
  loseRequest: 0,
  loseReply: 0,
  duplicate: 0,
  drift: 0,
  clockJumpEveryMs: 0,
  partitionEveryMs: 0,
  freezeEveryMs: 0,
  killEveryMs: 0,
  failoverEveryMs: 0,
};

const probabilities = ["delay", "loseRequest", "loseReply", "duplicate"] as const;

/** The usual ones, save for those that are given. */
export function hazardsOf(given: Partial<Hazards> = {}): Hazards {
  checkOptions(given, Object.keys(usualHazards));
  const hazards = { ...usualHazards, ...given };
  for (const [name, value] of Object.entries(hazards) as [string, unknown][]) {
    if (typeof value === "number" && value >= 0 && value < Infinity) continue;
    throw new LockstepError("bad-input", `${name} must be a number of 0 or more, not ${shown(value)}`);
  }
  for (const name of probabilities) {
    if (hazards[name] <= 1) continue;
    throw new LockstepError("bad-input", `${name} must be a probability from 0 to 1, not ${hazards[name]}`);
  }
  if (hazards.drift >= 0.5) {
    throw new LockstepError("bad-input", `drift must be below 0.5, not ${hazards.drift}`);
  }
  return hazards;
}
