// `npm run simulate -- --seconds 60`: as many seeds as fit into the time. `-- --seed 17`: that one again;
// with `--trace` it tells everything that happens.
import { parseArgs } from "node:util";
import { minutes, runSeeds, type SeedsRun } from "./run-seeds.js";
import { playSeed, workloadOf } from "./workloads/play-seed.js";

const { values } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" }, trace: { type: "boolean" } },
});
const seconds = numberOf("seconds", values.seconds ?? (values.seed === undefined ? "60" : "0"));
const firstSeed = numberOf("seed", values.seed ?? `${Math.floor(Math.random() * 1e6) * 1000}`);

if (values.trace) {
  await playSeed(firstSeed, workloadOf(firstSeed), minutes, ({ at, what, who }) => {
    console.log(`${(at / 1000).toFixed(3).padStart(10)} s  ${who.padEnd(6)} ${what}`);
  });
} else {
  // Simulated faults are errors by the thousand. Who sees a seed again sees where they came from.
  if (seconds > 0) Error.stackTraceLimit = 0;
  const run = await runSeeds(firstSeed, seconds, progress);
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  print(run);
  if (run.violations.length > 0) process.exitCode = 1;
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`--${name} takes a whole number, not ${text}`);
  process.exit(2);
}

function progress(seed: number, { seconds, lockHours, violations }: SeedsRun): void {
  if (!process.stderr.isTTY) return;
  const soFar = `${seconds.toFixed(0)} s, ${lockHours.toFixed(0)} lock-hours`;
  process.stderr.write(`\r\x1b[K  seed ${seed} done: ${soFar}, ${violations.length} violations`);
}

function print(run: SeedsRun): void {
  const { seeds, seconds, simulatedHours, lockHours, events, grants, tally, violations } = run;
  const number = (value: number) => Math.round(value).toLocaleString("en-US");
  const faults = Object.entries(tally).map(([what, count]) => [plural(what), number(count)]);
  const rows: string[][] = [
    ["seeds", `${firstSeed} to ${firstSeed + seeds - 1}, in ${seconds.toFixed(1)} s`],
    ["simulated", `${simulatedHours.toFixed(1)} hours, ${number(events)} events`],
    ["lock-hours", `${number(lockHours)}, which is ${number((lockHours * 60) / seconds)} a minute`],
    ["grants", number(grants)],
    ...faults.map(([what, count]) => [what!, count!]),
    ["violations", number(violations.length)],
  ];
  for (const [what, value] of rows) console.log(`  ${what!.padEnd(18)} ${value}`);
  for (const { seed, workload, findings } of violations) {
    console.log(`\nseed ${seed} (${workload}); see it again by: npm run simulate -- --seed ${seed}`);
    for (const finding of findings.slice(0, 5)) console.log(`  ${finding}`);
  }
}

function plural(what: string): string {
  return `${what}s`.replace(/ys$/, "ies");
}
