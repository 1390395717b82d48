// A hundred tasks in eight processes wait for a lock that a ninth process keeps: what does the waiting cost?
import { setTimeout as sleep } from "node:timers/promises";
import { alternate, median } from "./alternate.js";
import { contenders } from "./contenders.js";
import { inDirectory, Worker } from "./processes.js";
import type { Report } from "./report.js";

const rounds = 3;
const processes = 8;
const waiters = 100;
const measuredMs = 10_000;
/** Until all stand in line and nothing of their start is left to do. */
const settleMs = 4000;
const mostPercent = 1;

/**
 * No flock: its wait blocks a thread of Node's pool of four, so a hundred of them cannot be had in eight
 * processes. What Node itself costs comes with all of them, so it is measured too, in processes that only
 * sleep.
 */
const names = ["lockstep", "proper-lockfile", "idle Node"] as const;
type Waiting = (typeof names)[number];

export async function blockedCpu(): Promise<Report> {
  const results = await alternate(
    rounds,
    names.map((name) => ({ name, measure: () => percentOfOneCore(name) })),
  );
  const percent = (name: Waiting) => median(results.get(name)!);
  return {
    title: `Waiting: ${waiters} tasks, ${processes} processes, ${measuredMs / 1000} s (median of ${rounds})`,
    head: ["", "% of one core, all together"],
    rows: names.map((name) => [name, percent(name).toFixed(2)]),
    targets: [
      {
        what: "processor time of all who wait",
        target: `< ${mostPercent} % of one core`,
        measured: `${percent("lockstep").toFixed(2)} %`,
        isMet: percent("lockstep") < mostPercent,
      },
    ],
    figures: Object.fromEntries(
      names.map((name) => [name, { percentOfOneCore: percent(name), rounds: results.get(name) }]),
    ),
  };
}

function percentOfOneCore(name: Waiting): Promise<number> {
  return inDirectory(async (directory) => {
    const holder = name === "idle Node" ? undefined : await contenders[name](directory);
    const release = await holder?.lock("bench")();
    const workers = Array.from({ length: processes }, (_, index) => {
      const share = Math.floor((waiters + index) / processes);
      return new Worker("blocked-cpu-worker.mjs", [name, directory, String(share)]);
    });
    await Promise.all(workers.map((worker) => worker.answer()));
    await sleep(settleMs);
    for (const worker of workers) worker.tell(measuredMs);
    const busyMs = await Promise.all(workers.map((worker) => worker.answer<number>()));
    await Promise.all(workers.map((worker) => worker.end()));
    await release?.();
    await holder?.close();
    return (busyMs.reduce((sum, ms) => sum + ms, 0) / measuredMs) * 100;
  });
}
