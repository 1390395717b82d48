// One task takes and gives back one lock, over and over, while nobody else wants it.
import { alternate, median, medianRatio } from "./alternate.js";
import { contenders, contendersHere, type ContenderName } from "./contenders.js";
import { pair, perSecond } from "./pairs.js";
import { inDirectory } from "./processes.js";
import type { Report, Target } from "./report.js";

const rounds = 9;
const measuredMs = 500;

export async function uncontended(hasFlock: boolean): Promise<Report> {
  const names = contendersHere(hasFlock);
  const results = await inDirectory(async (directory) => {
    const subjects = await Promise.all(
      names.map(async (name) => {
        const contender = await contenders[name](directory);
        const acquire = contender.lock("bench");
        return { name, contender, measure: () => perSecond(measuredMs, () => pair(acquire)) };
      }),
    );
    for (const { measure } of subjects) await measure();
    const measured = await alternate(rounds, subjects);
    for (const { contender } of subjects) await contender.close();
    return measured;
  });
  const of = (name: ContenderName) => results.get(name)!;
  const ratio = (name: ContenderName) => medianRatio(of("lockstep"), of(name));
  const target = (name: ContenderName, wanted: number): Target => ({
    what: `as fast as ${name}`,
    target: `≥ ${wanted} ×`,
    measured: `${ratio(name).toFixed(1)} ×`,
    isMet: ratio(name) >= wanted,
  });
  return {
    title: `Uncontended: one task, one lock, acquire and release (median of ${rounds} rounds, by turns)`,
    head: ["", "pairs/s", "µs each", "lockstep is"],
    rows: names.map((name) => [
      name,
      Math.round(median(of(name))).toLocaleString("en"),
      (1e6 / median(of(name))).toFixed(1),
      `${ratio(name).toFixed(1)} ×`,
    ]),
    targets: [
      target("proper-lockfile", 10),
      ...(hasFlock ? [target("flock by name", 4), target("flock kept open", 4)] : []),
    ],
    figures: Object.fromEntries(
      names.map((name) => [name, { pairsPerSecond: median(of(name)), rounds: of(name) }]),
    ),
  };
}
