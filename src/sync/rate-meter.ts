/**
 * Counts what was taken of a rate, by the times that it is told. Asking never takes, and nothing here waits.
 */
export interface RateMeter {
  /** When so much can be taken if nobody takes anything before; not after `now` when it can be taken now. */
  readyAt(weight: number, now: number): number;
  /** Takes so much, which must be ready. */
  take(weight: number, now: number): void;
  /** How much can be taken now. */
  remaining(now: number): number;
  /** Whether it is as if nothing had ever been taken. */
  isFull(now: number): boolean;
}
