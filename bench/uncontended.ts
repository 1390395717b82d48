// One task takes and gives back one lock, over and over, while nobody else wants it.
import { alternate, median, medianRatio } from "./alternate.js";
import { contendersHere, openContender, type Contender, type ContenderName } from "./contenders.js";
import { inDirectory } from "./processes.js";
import type { Report, Target } from "./report.js";

const rounds = 9;
const measuredMs = 500;

export async function uncontended(hasFlock: boolean): Promise<Report> {
  const names = contendersHere(hasFlock);
  const results = await inDirectory(async (directory) => {
    const subjects = await Promise.all(
      names.map(async (name) => ({ name, contender: await openContender(name, directory) })),
    );
    for (const { contender } of subjects) await perSecond(contender, measuredMs);
    const measured = await alternate(
      rounds,
      subjects.map(({ name, contender }) => ({ name, measure: () => perSecond(contender, measuredMs) })),
    );
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

async function perSecond({ acquire }: Contender, forMs: number): Promise<number> {
  const begun = performance.now();
  let pairs = 0;
  let now = begun;
  while (now - begun < forMs) {
    const release = await acquire();
    await release();
    pairs++;
    now = performance.now();
  }
  return pairs / ((now - begun) / 1000);
}
