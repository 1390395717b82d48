export type { CheckOptions } from "./budget.js";
export { check, type Check } from "./check.js";
export { describe, type Client, type History, type Operation, type Outcome } from "./history.js";
export type { Level, OperationLevel, TransactionLevel } from "./level.js";
export { refused, type Access, type Model, type PartVerdict } from "./model.js";
export { Recorder, recorder, type Begun, type RecordedClient, type RecorderOptions } from "./recorder.js";
export type { Strongest } from "./strongest.js";
export type { Workload } from "./transactions/keeps-isolation.js";
export type { Anomaly, Attempt, Edge, Unknown, Valid, Verdict, Violation } from "./verdict.js";
