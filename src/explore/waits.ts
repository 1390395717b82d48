import type { Wait } from "./stuck.js";

/** What those wait for who cannot go on. */
export class Waits extends Set<Wait> {
  /** How many of them are the answers of effects. */
  openEffects = 0;

  /** Keeps it in mind until the promise is settled. */
  until<T>(
    promise: PromiseLike<T>,
    wait: Wait,
    granted: (value: T) => void,
    refused: (error: unknown) => void,
  ): void {
    const isEffect = wait.from === undefined;
    this.add(wait);
    if (isEffect) this.openEffects++;
    const ends = () => {
      this.delete(wait);
      if (isEffect) this.openEffects--;
    };
    promise.then(
      (value) => {
        ends();
        granted(value);
      },
      (error: unknown) => {
        ends();
        refused(error);
      },
    );
  }
}
