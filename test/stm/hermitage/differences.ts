import type { Isolation } from "lockstep/stm";

/** Where an anomaly occurs here and not in Postgres, or there and not here. */
export interface Difference {
  readonly levels: readonly Isolation[];
  /** By their names. */
  readonly anomalies: readonly string[];
  readonly reason: string;
}

export const differences: readonly Difference[] = [
  {
    levels: ["read-uncommitted"],
    anomalies: [
      "G1a: aborted read",
      "G1b: intermediate read",
      "G1c: circular information flow",
      "OTV: observed transaction vanishes",
    ],
    reason: "Postgres has no read uncommitted, and gives read committed to whoever asks for it",
  },
  {
    levels: ["read-uncommitted", "read-committed"],
    anomalies: ["G-single, read-only"],
    reason: "a transaction that says that it only reads sees one moment here, whatever its level",
  },
];

/** Those of one level. */
export function differencesAt(level: Isolation): readonly Difference[] {
  return differences.filter(({ levels }) => levels.includes(level));
}
