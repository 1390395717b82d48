// Pool beside generic-pool and tarn.
import type { Report } from "./report.js";
import { compare, paceTable } from "./sync/compare.js";

const columns = { uncontended: "alone", hundredWaiters: "100 wait" };

export async function syncPool(): Promise<Report> {
  const comparison = await compare("pools", ["generic-pool", "tarn"]);
  return {
    ...paceTable("Pool of ten, pairs of acquire and release", comparison, columns),
    targets: Object.entries(columns).map(([workload, column]) =>
      comparison.target(`Pool, ${column}`, workload, 1),
    ),
    figures: comparison.figures(Object.keys(columns)),
  };
}
