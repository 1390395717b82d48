import type { Clock } from "../base/clock.js";

/** How to open what another thread has made. */
export interface OpenOptions {
  /** The clock to live by; for tests. */
  clock?: Clock | undefined;
}
