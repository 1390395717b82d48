import type { Run } from "./run.js";

/** Decides, schedule by schedule, which of several points goes on. */
export interface Strategy {
  /** For the stage's own chance in the next schedule. */
  readonly seed: number;
  /** Whether it is also asked where there is nothing to decide. */
  readonly decidesAll: boolean;
  /** The place in `run.ready` of the point to go on; undefined gives up what was tried in effect. */
  choose(run: Run): number | undefined;
  /** Whether there is another schedule to try, now that this one has ended. */
  next(run: Run): boolean;
}
