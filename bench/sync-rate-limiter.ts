// The rate limiters beside rate-limiter-flexible's RateLimiterMemory.
import type { Report } from "./report.js";
import { compare, paceTable } from "./sync/compare.js";

const compared = { keyed: "one of a thousand keys", plain: "no key", refused: "refused" };
const columns = { ...compared, atOnce: "one of a thousand keys, no await" };

export async function syncRateLimiter(): Promise<Report> {
  const comparison = await compare("rate-limiters", ["rate-limiter-flexible"]);
  return {
    ...paceTable("Rate limiters, questions answered", comparison, columns),
    targets: Object.entries(compared).map(([workload, column]) =>
      comparison.target(`rate limiter, ${column}`, workload, 1),
    ),
    figures: comparison.figures(Object.keys(columns)),
  };
}
