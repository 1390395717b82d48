// How fast simulated worlds go: the workloads of test/simulation, with everything that goes wrong in them,
// and with the judgement of what was recorded.
import { runSeeds } from "../test/simulation/run-seeds.js";
import { showProgress, type Report } from "./report.js";

const seconds = 20;
const wantedAMinute = 1000;

export async function simulate(): Promise<Report> {
  showProgress("simulated worlds");
  // Simulated faults are errors by the thousand, and nobody reads where these came from.
  Error.stackTraceLimit = 0;
  // The first seeds run code that is not compiled yet.
  await runSeeds(0, 3, () => undefined);
  const before = process.cpuUsage();
  const run = await runSeeds(0, seconds, () => undefined);
  const { user, system } = process.cpuUsage(before);
  const minutes = (user + system) / 60e6;
  const { lockHours, simulatedHours, events, grants, tally, violations } = run;
  const perMinute = lockHours / minutes;
  const faults = Object.values(tally).reduce((sum, count) => sum + count, 0);
  const number = (value: number) => Math.round(value).toLocaleString("en-US");
  return {
    title: `Simulated worlds, for ${seconds} s`,
    head: ["", "a minute of one core"],
    rows: Object.entries({
      "lock-hours": lockHours,
      "simulated hours": simulatedHours,
      events,
      grants,
      faults,
    }).map(([what, count]) => [what, number(count / minutes)]),
    targets: [
      {
        what: "simulated lock-hours a minute of one core",
        target: `≥ ${number(wantedAMinute)}`,
        measured: number(perMinute),
        isMet: perMinute >= wantedAMinute,
      },
      {
        what: "violations",
        target: "0",
        measured: `${violations.length}`,
        isMet: violations.length === 0,
      },
    ],
    figures: { lockHoursPerMinute: perMinute, ...run },
  };
}
