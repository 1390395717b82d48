// How long it takes to judge long histories of one key that need no search.
import { measureApart, rounds } from "./apart.js";
import { clients, long, names, short } from "./check/long-histories.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";

const shortMaxMs = 5;
const longMaxMs = 1_000;
const maxMb = 200;

/** What Porcupine needed (Go 1.24), which gave no answer for the short one in ten seconds. */
const porcupineMb = 1_600;

export async function checkShortcuts(): Promise<Report> {
  const subjects = names.flatMap((name) => [`${name} ${short}`, `${name} ${long}`]);
  const comparison = new Comparison(await measureApart("./check/long-histories.js", subjects));
  const ms = (name: string, operations: number) => comparison.median(`${name} ${operations}`, "ms")!;
  const mb = comparison.median(`register ${long}`, "grownMb")!;
  const target = (what: string, most: number, measured: number, unit: string) => ({
    what,
    target: `≤ ${most} ${unit}`,
    measured: `${measured.toFixed(1)} ${unit}`,
    isMet: measured <= most,
  });
  return {
    title: `One key, ${clients} clients, no value twice: ms to judge a history (median of ${rounds} rounds)`,
    head: ["", `${short} operations`, `${long} operations`],
    rows: names.map((name) => [name, ms(name, short).toFixed(1), ms(name, long).toFixed(0)]),
    targets: [
      target(`register, ${short} operations`, shortMaxMs, ms("register", short), "ms"),
      target(`register, ${long} operations`, longMaxMs, ms("register", long), "ms"),
      target(
        `register, ${long} operations, memory beside them (Porcupine ${porcupineMb} MB)`,
        maxMb,
        mb,
        "MB",
      ),
    ],
    figures: Object.fromEntries(
      subjects.map((subject) => [
        subject,
        { ms: comparison.median(subject, "ms"), grownMb: comparison.median(subject, "grownMb") },
      ]),
    ),
  };
}
