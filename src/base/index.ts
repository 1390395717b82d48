export { systemClock, type Clock, type Timer } from "./clock.js";
export { isLockstepError, LockstepError, type Applied, type LockstepErrorCode } from "./errors.js";
export { ManualClock } from "./manual-clock.js";
export type { Patience } from "./patience.js";
export { SeededRandom } from "./random.js";
