export { openPostgresStore, postgresStoreAt, type OpenPostgresOptions } from "./open-postgres-store.js";
export type { PostgresStore } from "./postgres-store.js";
