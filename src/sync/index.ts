/// <reference lib="esnext.disposable" preserve="true" />
export { Held } from "./held.js";
export type { LockOptions } from "./lock-options.js";
export { Mutex } from "./mutex.js";
export { Semaphore, type Weight } from "./semaphore.js";
