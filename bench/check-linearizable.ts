// How long it takes to judge histories that must be searched.
import { measureApart, rounds } from "./apart.js";
import { busyNames, clients, logNames, operations } from "./check/searched-histories.js";
import { Comparison } from "./comparison.js";
import type { Report } from "./report.js";

/** What Porcupine needed (Go 1.24, its own test files), in ms; it gave no answer for the others in 10 s. */
const porcupineMs: Readonly<Record<string, number>> = { "etcd logs": 352, "kv c01": 0.9, "kv c10": 0.6 };
/** What part of it ours may be. */
const shares: Readonly<Record<string, number>> = { "etcd logs": 0.5, "kv c01": 1, "kv c10": 1 };

export async function checkLinearizable(): Promise<Report> {
  const names = [...logNames, ...busyNames];
  const comparison = new Comparison(await measureApart("./check/searched-histories.js", names));
  const ms = (name: string) => comparison.median(name, "ms")!;
  const target = (what: string, most: number, measured: number) => ({
    what,
    target: `≤ ${most} ms`,
    measured: `${measured.toFixed(2)} ms`,
    isMet: measured <= most,
  });
  return {
    title:
      `Linearizable or not, by search; "values" is one key, ${operations} operations, ${clients} clients ` +
      `(median of ${rounds} rounds)`,
    head: ["", "ms", "Porcupine's ms", "to Porcupine"],
    rows: names.map((name) => {
      const theirs = porcupineMs[name];
      const ratio = theirs === undefined ? "" : `${(theirs / ms(name)).toFixed(1)} ×`;
      return [name, ms(name).toFixed(2), theirs === undefined ? "> 10000" : `${theirs}`, ratio];
    }),
    targets: logNames.map((name) => target(`${name}, warm`, porcupineMs[name]! * shares[name]!, ms(name))),
    figures: Object.fromEntries(
      names.map((name) => [name, { ms: ms(name), rounds: comparison.rounds(name, "ms") }]),
    ),
  };
}
