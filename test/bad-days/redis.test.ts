import { startRedisReplica } from "../rig/redis-replica.js";
import { startRedis } from "../rig/redis.js";
import { playDaysOn } from "./on-server.js";

playDaysOn("redis", {
  ttlMs: 1000,
  start: (env = {}) => startRedis({ env }),
  believesFalseTime: true,
  startCluster: startRedisReplica,
});
