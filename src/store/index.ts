export type {
  Batch,
  Change,
  Committed,
  Condition,
  Entry,
  Event,
  Query,
  Refused,
  Resync,
  Revision,
  SessionInfo,
  Snapshot,
  Write,
} from "./change.js";
export type { Guarantees } from "./guarantees.js";
export { compareKeys } from "./keys.js";
export { arrange, checkChange, checkQuery, checkSessionOptions, entryAfter, firstFailure } from "./rules.js";
export type { View } from "./rules.js";
export { KeptSession, type Session, type SessionEnd, type SessionLink } from "./session.js";
export { OpenSessions } from "./open-sessions.js";
export type { SessionOptions, Store, WatchOptions } from "./store.js";
export { closedError, WatchFeed } from "./watch-feed.js";
