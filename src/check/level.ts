/** The promises about single operations, none before one that is stronger. `isImpliedBy` says which are. */
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

/** The promises about transactions, none before one that is stronger. */
export const transactionLevels = [
  "strict-serializable",
  "strong-session-serializable",
  "serializable",
  "repeatable-read",
  "strong-session-snapshot-isolation",
  "snapshot-isolation",
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

/**
 * What whoever keeps a promise keeps as well, said once: what follows from these follows, too. Of all others
 * each can be kept without the other. That all come to see the same in the end says nothing of what they see
 * until then, and is said by none that knows no time: so only linearizable says it.
 */
const operationImplications: Partial<Record<Level, readonly Level[]>> = {
  linearizable: ["sequential", "eventual"],
  sequential: ["causal+"],
  "causal+": ["causal"],
  causal: ["session"],
  session: ["pram", "writes-follow-reads"],
  pram: ["monotonic-writes", "monotonic-reads", "read-your-writes"],
};

/**
 * The same for transactions. Their reads are of single items here, and so repeatable read is as strong as
 * serializable. From "causal" down each client's own order counts, which some that stand before do not know.
 */
const transactionImplications: Partial<Record<Level, readonly Level[]>> = {
  "strict-serializable": ["strong-session-serializable"],
  "strong-session-serializable": ["serializable", "strong-session-snapshot-isolation"],
  serializable: ["repeatable-read"],
  "repeatable-read": ["snapshot-isolation"],
  "strong-session-snapshot-isolation": ["snapshot-isolation", "causal"],
  "snapshot-isolation": ["read-uncommitted"],
  causal: ["read-atomic"],
  "read-atomic": ["read-committed"],
  "read-committed": ["read-uncommitted"],
};

/** Whether all who keep the stronger promise keep the weaker one. Both are about the same. */
export function isImpliedBy(weaker: Level, stronger: Level, about: "operations" | "transactions"): boolean {
  const implications = about === "operations" ? operationImplications : transactionImplications;
  const next = implications[stronger] ?? [];
  return next.some((level) => level === weaker || isImpliedBy(weaker, level, about));
}
