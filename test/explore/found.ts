import { explore, RaceFound, type ExploreOptions, type Program } from "lockstep/explore";
import { expect } from "vitest";

/** The race that is found in the program; fails if there is none. */
export async function raceIn(program: Program, options?: ExploreOptions): Promise<RaceFound> {
  const found: unknown = await explore(program, options).then(
    ({ summary }) => expect.fail(`nothing was found: tried ${summary}`),
    (error: unknown) => error,
  );
  if (found instanceof RaceFound) return found;
  throw found;
}

/** Who did what, in order, as "task: deed". */
export function deeds({ schedule }: RaceFound): string[] {
  return schedule.map(({ task, did }) => `${task}: ${did}`);
}
