import { explore, type Exploration } from "./explore.js";
import type { ExploreOptions } from "./explore-options.js";
import { RaceFound } from "./race-found.js";
import type { Program } from "./stage.js";

/** What a matcher says to the test framework. */
export interface Matched {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * For vitest and jest: after `expect.extend(raceMatchers)` there is
 * `await expect(program).toHoldInEverySchedule(options)`, and its opposite with `not`.
 */
export const raceMatchers = {
  async toHoldInEverySchedule(program: Program, options: ExploreOptions = {}): Promise<Matched> {
    let held: Exploration;
    try {
      held = await explore(program, options);
    } catch (error) {
      if (error instanceof RaceFound) return { pass: false, message: () => error.message };
      throw error;
    }
    return { pass: true, message: () => `no schedule breaks the program: tried ${held.summary}` };
  },
};
