import { transactionLevels, type TransactionLevel } from "../level.js";

const every = transactionLevels;
const strict = ["strict-serializable"] as const;
const sessionSerializable = [...strict, "strong-session-serializable"] as const;
const serializable = [...sessionSerializable, "serializable", "repeatable-read"] as const;
const sessionSnapshot = [...sessionSerializable, "strong-session-snapshot-isolation"] as const;
const snapshot = [...serializable, "strong-session-snapshot-isolation", "snapshot-isolation"] as const;
const causal = [...sessionSnapshot, "causal"] as const;
const atomic = [...causal, "read-atomic"] as const;
const committedWithSessions = [...atomic, "read-committed"] as const;
const committed = every.filter((level) => level !== "read-uncommitted");
const agreeing = committed.filter((level) => level !== "read-committed");

/**
 * What can be wrong, the most telling first, and the levels that it rules out: this table is what the levels
 * mean. Whatever it does not rule out has to be proven, by an order in which all could have happened.
 *
 * As Adya has it (and Elle), "read-uncommitted" to "serializable" know nothing of who did what, save three:
 * "read-committed", "read-atomic" and "causal" are those of Biswas and Enea, in which each client's own
 * order counts. Reads are of single keys here, never of a range, and then "repeatable-read", which forbids
 * G2-item, is "serializable".
 */
const levelsRuledOut = {
  "garbage read": every,
  "duplicate elements": every,
  G0: every,
  G1a: committed,
  "dirty update": committed,
  G1b: committed,
  "future read": committed,
  "internal of writes": committed,
  "incompatible order": committed,
  "cyclic versions": committed,
  G1c: committed,
  "internal of reads": agreeing,
  "G0-process": committedWithSessions,
  "G1c-process": committedWithSessions,
  "G-monotonic": committed,
  "G-monotonic-process": committedWithSessions,
  "fractured read": agreeing,
  "fractured read-process": atomic,
  "causality violation": causal,
  "lost update": snapshot,
  "G-single": snapshot,
  "long fork": snapshot,
  "G-nonadjacent": snapshot,
  "G2-item": serializable,
  "G-single-process": sessionSnapshot,
  "G-nonadjacent-process": sessionSnapshot,
  "G2-item-process": sessionSerializable,
  "G0-realtime": strict,
  "G1c-realtime": strict,
  "G-single-realtime": strict,
  "G-nonadjacent-realtime": strict,
  "G2-item-realtime": strict,
} as const satisfies Record<string, readonly TransactionLevel[]>;

export type Phenomenon = keyof typeof levelsRuledOut;

/** The most telling first. */
export const phenomena = Object.keys(levelsRuledOut) as readonly Phenomenon[];

export function rulesOut(phenomenon: Phenomenon, level: TransactionLevel): boolean {
  return (levelsRuledOut[phenomenon] as readonly TransactionLevel[]).includes(level);
}

/** As it is called; both contradictions of oneself are "internal", though one is worse. */
export function nameOf(phenomenon: Phenomenon): string {
  return phenomenon.startsWith("internal") ? "internal" : phenomenon;
}

/** Whose order counts, besides what the data says: nobody's, each client's own, or that of real time. */
export type Timing = "none" | "session" | "realtime";

/** How a level can be proven. */
export interface Proof {
  readonly by: "version order" | "commit order" | "serial order" | "snapshots";
  readonly timing: Timing;
}

export const proofs: Record<TransactionLevel, Proof> = {
  "strict-serializable": { by: "serial order", timing: "realtime" },
  "strong-session-serializable": { by: "serial order", timing: "session" },
  serializable: { by: "serial order", timing: "none" },
  "strong-session-snapshot-isolation": { by: "snapshots", timing: "session" },
  "snapshot-isolation": { by: "snapshots", timing: "none" },
  "repeatable-read": { by: "serial order", timing: "none" },
  causal: { by: "commit order", timing: "session" },
  "read-atomic": { by: "commit order", timing: "session" },
  "read-committed": { by: "commit order", timing: "session" },
  "read-uncommitted": { by: "version order", timing: "none" },
};
