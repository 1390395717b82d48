/// <reference lib="esnext.disposable" preserve="true" />
export { isLockstepError, LockstepError, type LockstepErrorCode } from "../base/errors.js";
export type { Patience } from "../base/patience.js";
export type { Immutable } from "../sync/immutable.js";
export { atomically, atomicallySync, ref, snapshot, table } from "./default-space.js";
export type { Control, Isolation } from "./discipline.js";
export type { Key } from "./key.js";
export type { OptimisticOptions, TransactionOptions } from "./manner.js";
export { orElse } from "./or-else.js";
export type { ChangesOptions, Ref } from "./ref.js";
export type { Snapshot } from "./snapshot.js";
export { Space, type RefOptions, type SpaceOptions } from "./space.js";
export type { Table, TableOptions } from "./table.js";
export type {
  LockingReads,
  LockingTransaction,
  Range,
  ReadingTransaction,
  Reads,
  Rows,
  Transaction,
} from "./transaction.js";
