import { describeOn } from "../rig/available.js";
import { startRedis } from "../rig/redis.js";
import { startRedisReplica } from "../rig/redis-replica.js";
import type { Environment, Place } from "./ground.js";
import { playDays } from "./play-days.js";

async function start(env: Environment = {}): Promise<Place> {
  const server = await startRedis({ env });
  return { server, address: (namespace, port = server.port) => address(port, namespace), stop: server.stop };
}

function address(port: number, namespace: string): string {
  return `redis://127.0.0.1:${port}?namespace=${namespace}`;
}

describeOn("redis", "on Redis", () => {
  playDays({
    engine: "redis",
    ttlMs: 1000,
    start,
    startUnder: start,
    async startCluster() {
      const pair = await startRedisReplica();
      const leader = pair.leaderPort;
      return {
        ...pair,
        address: (namespace) => address(pair.leaderPort, namespace),
        leaderAddress: (namespace) => address(leader, namespace),
      };
    },
  });
});
