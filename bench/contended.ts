// Processes of one host contend for one lock.
import { alternate } from "./alternate.js";
import { Comparison } from "./comparison.js";
import { contendersHere, type ContenderName } from "./contenders.js";
import { contest, contestCosts, contestRounds, contestTable, fairnessTargets } from "./contest.js";
import { inDirectory } from "./processes.js";
import type { Report, Target } from "./report.js";

export async function contended(hasFlock: boolean): Promise<Report> {
  const names: ContenderName[] = contendersHere(hasFlock).filter((name) => name !== "flock by name");
  const results = await alternate(
    contestRounds,
    names.map((name) => ({
      name,
      measure: () => inDirectory((directory) => contest("./contenders.js", name, directory)),
    })),
  );
  const contests = new Comparison(results, contestCosts);
  const versus = (peer: ContenderName, what: string, figure: string, wanted: number): Target[] =>
    names.includes(peer) ? [contests.target(what, figure, wanted, peer)] : [];
  return {
    ...contestTable(contests),
    targets: [
      ...versus("flock kept open", "hand-over p50", "handOverP50", 2.5),
      ...versus("proper-lockfile", "hand-over p50", "handOverP50", 0.33),
      ...versus("flock kept open", "acquisitions per second", "perSecond", 0.85),
      ...versus("proper-lockfile", "wait p99", "waitP99", 0.2),
      ...fairnessTargets(contests),
    ],
    figures: Object.fromEntries(results),
  };
}
