/// <reference lib="esnext.disposable" preserve="true" />
export { DeadlockDetector, detectDeadlocks, type LockReport } from "./detect-deadlocks.js";
export { Held } from "./held.js";
export { KeyedMutex } from "./keyed-mutex.js";
export type { LockOptions } from "./lock-options.js";
export { Mutex } from "./mutex.js";
export { RwLock, RwLockSide, type ReadHeld, type RwLockOptions, type WriteHeld } from "./rw-lock.js";
export { Semaphore, type Weight } from "./semaphore.js";
