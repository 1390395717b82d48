import type { Task } from "./task.js";

/** What can be wrong with a schedule. */
export type FindingKind =
  /** The program threw, or a task did and nobody caught it. */
  | "error"
  /** Something that was to hold after every step did not. */
  | "broken invariant"
  /** Tasks wait for each other, or for a lock whose holder has ended. */
  | "deadlock"
  /** A task waits to be woken, and nobody is left to do it. */
  | "lost wake-up"
  /** A task waits for a promise of the program's own, and nobody is left to resolve it. */
  | "stuck"
  /** Tasks go on and on, and one that waits is never served. */
  | "starvation"
  /** Tasks go on and on, and never end. */
  | "livelock";

export interface Finding {
  readonly kind: FindingKind;
  readonly error: unknown;
  /** In whose step it showed. */
  readonly task: Task;
}
