import type { Anomaly } from "../verdict.js";

/** That a promise is kept; or how it is broken; or why nobody knows, in words. */
export type Finding = "valid" | Anomaly | { readonly unknown: string };

export function isAnomaly(finding: Finding): finding is Anomaly {
  return finding !== "valid" && !("unknown" in finding);
}

export const outOfTime: Finding = { unknown: "the time was up" };
