import type { Subjects, Workloads } from "../apart.js";
import type { Acquire, Contender, Contenders } from "../contender.js";
import { pair, perSecond } from "../pairs.js";

const measuredMs = 500;
const many = 64;

/** What each contender does in one process when nobody else wants its locks; for `measureApart`. */
export function alone(contenders: Contenders): Subjects {
  return Object.fromEntries(
    Object.entries(contenders).map(([name, open]) => [name, async (place) => workloads(await open(place))]),
  );
}

async function workloads(contender: Contender): Promise<Workloads> {
  const acquire = contender.lock("bench");
  const all = Array.from({ length: many }, (_, index) => contender.lock(`bench-${index}`));
  const measured = {
    pairs: () => perSecond(measuredMs, () => pair(acquire)),
    inTurn: () => perSecond(measuredMs, () => inTurn(all), many),
    atOnce: () => perSecond(measuredMs, () => atOnce(all), many),
  };
  // They are compiled, and their connections made, before they count.
  for (const run of Object.values(measured)) await run();
  return measured;
}

/** As one who cannot do two things at once takes many locks, and gives them back. */
async function inTurn(all: readonly Acquire[]): Promise<void> {
  const releases: (() => Promise<unknown>)[] = [];
  for (const acquire of all) releases.push(await acquire());
  for (const release of releases) await release();
}

async function atOnce(all: readonly Acquire[]): Promise<void> {
  const releases = await Promise.all(all.map((acquire) => acquire()));
  await Promise.all(releases.map((release) => release()));
}
