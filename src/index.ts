/// <reference lib="esnext.disposable" preserve="true" />
export { isLockstepError, LockstepError, type Applied, type LockstepErrorCode } from "./base/errors.js";
export type { Patience } from "./base/patience.js";
export { connect } from "./connect.js";
export * from "./coordination/index.js";
export { Lockstep, type LockstepOptions } from "./lockstep.js";
