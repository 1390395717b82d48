export { openLmdbStore } from "./open-lmdb-store.js";
export type { LmdbStore } from "./lmdb-store.js";
