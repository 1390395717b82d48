// Mutex and Semaphore of lockstep/sync beside the locks of npm, each in a process of its own.
import type { Comparison } from "./comparison.js";
import type { Report, Target } from "./report.js";
import { compare, lockFigures, lockTable } from "./sync/compare.js";

const mutexes = ["superlock", "await-lock", "async-sema", "mutexify", "async-mutex", "p-limit", "Effect"];
const semaphores = ["superlock", "async-sema", "async-mutex", "p-limit", "p-queue", "Effect"];

const paces = { uncontended: "alone", hundredWaiters: "100 wait", tenThousandWaiters: "10,000 wait" };
const columns = { ...paces, atOnce: "no await" };
const mostBytes = 300;

export async function syncLocks(): Promise<Report> {
  const mutex = await compare("mutexes", mutexes);
  const semaphore = await compare("semaphores", semaphores);
  return {
    ...lockTable("Mutex", mutex, columns),
    further: [lockTable("Semaphore with room for four", semaphore, columns)],
    targets: [...targets("Mutex", mutex), ...targets("Semaphore", semaphore)],
    figures: { mutex: lockFigures(mutex, columns), semaphore: lockFigures(semaphore, columns) },
  };
}

function targets(noun: string, comparison: Comparison): Target[] {
  const bytes = comparison.median("lockstep", "bytesPerWaiter")!;
  return [
    ...Object.entries(paces).map(([workload, column]) =>
      comparison.target(`${noun}, ${column}`, workload, 1),
    ),
    {
      what: `${noun}, heap bytes per waiter`,
      target: `≤ ${mostBytes}`,
      measured: bytes.toFixed(0),
      isMet: bytes <= mostBytes,
    },
  ];
}
