import { describeOn } from "../rig/available.js";
import { startPostgres } from "../rig/postgres.js";
import { startPostgresStandby } from "../rig/postgres-standby.js";
import type { Environment, Place } from "./ground.js";
import { playDays } from "./play-days.js";

async function start(env: Environment = {}): Promise<Place> {
  const server = await startPostgres({ env });
  return { server, address: (namespace, port = server.port) => address(port, namespace), stop: server.stop };
}

function address(port: number, namespace: string): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres?namespace=${namespace}`;
}

describeOn("postgres", "on Postgres", () => {
  playDays({
    engine: "postgres",
    ttlMs: 1000,
    start,
    startUnder: start,
    async startCluster() {
      const pair = await startPostgresStandby();
      const leader = pair.leaderPort;
      return {
        ...pair,
        address: (namespace) => address(pair.leaderPort, namespace),
        leaderAddress: (namespace) => address(leader, namespace),
      };
    },
  });
});
