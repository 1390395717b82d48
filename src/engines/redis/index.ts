export { openRedisStore, redisStoreAt, type OpenRedisOptions } from "./open-redis-store.js";
export type { RedisStore } from "./redis-store.js";
