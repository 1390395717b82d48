// RwLock beside async-rwlock.
import type { Report } from "./report.js";
import { compare, paceTable } from "./sync/compare.js";

const columns = { reads: "reads, alone", writes: "writes, alone", mixed: "100 tasks, one in ten writes" };
const wanted = 5;

export async function syncRwLock(): Promise<Report> {
  const comparison = await compare("rw-locks", ["async-rwlock"]);
  return {
    ...paceTable("RwLock, pairs of acquire and release", comparison, columns),
    targets: Object.entries(columns).map(([workload, column]) =>
      comparison.target(`RwLock, ${column}`, workload, wanted),
    ),
    figures: comparison.figures(Object.keys(columns)),
  };
}
