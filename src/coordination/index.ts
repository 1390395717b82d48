export type { Census, Contender, Holding } from "./census.js";
export { Election, Term, type Leader } from "./election.js";
export { Held } from "./held.js";
export { KeyValue, KeyValueEntry } from "./key-value.js";
export type { IfRevision, KeyValueChange, KeyValueVerdict } from "./key-value.js";
export { Lock } from "./lock.js";
