/** The promises about single operations, of which each is kept by whoever keeps one that stands before it. */
export const operationLevels = [
  "linearizable",
  "sequential",
  "causal+",
  "causal",
  "session",
  "pram",
  "writes-follow-reads",
  "monotonic-writes",
  "monotonic-reads",
  "read-your-writes",
  "eventual",
] as const;

/** The promises about transactions, the strongest first. */
export const transactionLevels = [
  "strict-serializable",
  "strong-session-serializable",
  "serializable",
  "strong-session-snapshot-isolation",
  "snapshot-isolation",
  "repeatable-read",
  "causal",
  "read-atomic",
  "read-committed",
  "read-uncommitted",
] as const;

export type OperationLevel = (typeof operationLevels)[number];
export type TransactionLevel = (typeof transactionLevels)[number];
export type Level = OperationLevel | TransactionLevel;

/** "causal" is both: a promise about operations, and one about transactions. */
export function isTransactionLevel(level: Level): level is TransactionLevel {
  return (transactionLevels as readonly Level[]).includes(level);
}
