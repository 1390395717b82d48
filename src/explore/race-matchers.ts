import { explore, type Exploration } from "./explore.js";
import type { ExploreOptions } from "./explore-options.js";
import { ownFrame } from "./own-frame.js";
import { RaceFound } from "./race-found.js";
import type { Program } from "./stage.js";

/** What a matcher says to the test framework. */
export interface Matched {
  readonly pass: boolean;
  readonly message: () => string;
  /** What the program's own assertion compared, if that is what failed: shown as a diff. */
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/**
 * For vitest and jest: after `expect.extend(raceMatchers)` there is
 * `await expect(program).toHoldInEverySchedule(options)`, and its opposite with `not`. Not awaited, nor
 * returned, it sees to nothing: the test is over before.
 */
export const raceMatchers = {
  /** Whether no schedule breaks the program. Await it, or return it. */
  async toHoldInEverySchedule(program: Program, options: ExploreOptions = {}): Promise<Matched> {
    let held: Exploration;
    try {
      held = await explore(program, options);
    } catch (error) {
      if (error instanceof RaceFound) return failure(error);
      throw error;
    }
    return { pass: true, message: () => `no schedule breaks the program: tried ${held.summary}` };
  },
};

function failure({ message, cause }: RaceFound): Matched {
  const frame = ownFrame(cause);
  const where = frame === undefined ? "" : `\n\nThrown at ${frame}`;
  const { actual, expected } = (cause ?? {}) as { actual?: unknown; expected?: unknown };
  return { pass: false, message: () => message + where, actual, expected };
}
