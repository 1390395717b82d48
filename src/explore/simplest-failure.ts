import type { FindingKind } from "./finding.js";
import type { Run } from "./run.js";

/** Plays one schedule by its choices. */
export type TryChoices = (choices: readonly number[]) => Promise<Run>;

const mostTries = 400;

/**
 * A schedule that fails in the same way with fewer interruptions, or else fewer steps: tries to leave out one
 * choice after the other, the last one first, and starts again whenever that went well. It is as simple as it
 * gets by leaving out one more.
 */
export async function simplestFailure(failed: Run, play: TryChoices): Promise<Run> {
  let best = failed;
  let tries = 0;
  for (let index = best.turns.choices.length - 1; index >= 0 && tries < mostTries; index--) {
    const { choices } = best.turns;
    if (index >= choices.length || choices[index] === 0) continue;
    for (const shorter of [choices.slice(0, index), choices.with(index, 0)]) {
      tries++;
      const run = await play(shorter);
      if (!isSimpler(run, best, failed.finding!.kind)) continue;
      best = run;
      index = best.turns.choices.length;
      break;
    }
  }
  return best;
}

function isSimpler(run: Run, best: Run, kind: FindingKind): boolean {
  if (run.finding?.kind !== kind) return false;
  const [cost, bestCost] = [costOf(run), costOf(best)];
  const differing = cost.findIndex((part, index) => part !== bestCost[index]);
  return differing >= 0 && cost[differing]! < bestCost[differing]!;
}

/** Compared from the first on. */
function costOf({ turns, steps }: Run): number[] {
  return [turns.preemptions, steps, turns.choices.filter((choice) => choice !== 0).length];
}
