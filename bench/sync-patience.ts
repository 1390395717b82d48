// A mutex that is not waited for without end: with a signal, or with a time-out.
import type { Report } from "./report.js";
import { compare, lockFigures, lockTable } from "./sync/compare.js";

const paces = { uncontended: "alone", hundredWaiters: "100 wait", tenThousandWaiters: "10,000 wait" };
const signals = { ...paces, oneSignal: "10,000, one signal" };

export async function syncPatience(): Promise<Report> {
  const signalled = await compare("signalled-locks", ["superlock"]);
  const timed = await compare("timed-locks", ["await-lock", "async-mutex", "Effect"]);
  return {
    ...lockTable("Mutex, a signal for each task", signalled, signals),
    further: [lockTable("Mutex, a time-out", timed, paces)],
    targets: [],
    figures: { signalled: lockFigures(signalled, signals), timed: lockFigures(timed, paces) },
  };
}
