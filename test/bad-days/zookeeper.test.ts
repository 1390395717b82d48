import { describeOn } from "../rig/available.js";
import { startZookeeper } from "../rig/zookeeper.js";
import { startZookeeperCluster } from "../rig/zookeeper-cluster.js";
import type { Environment, Place } from "./ground.js";
import { playDays } from "./play-days.js";

async function start(env: Environment = {}): Promise<Place> {
  const server = await startZookeeper({ env });
  return {
    server,
    address: (namespace, port = server.port) => address(`127.0.0.1:${port}`, namespace),
    stop: server.stop,
  };
}

function address(hosts: string, namespace: string): string {
  return `zookeeper://${hosts}/${namespace}`;
}

describeOn("zookeeper", "on ZooKeeper", () => {
  playDays({
    engine: "zookeeper",
    // Java stops now and then, and five servers at once do so often.
    ttlMs: 2000,
    start,
    startUnder: start,
    async startCluster() {
      const cluster = await startZookeeperCluster();
      const leader = cluster.leaderHost;
      return Object.assign(cluster, {
        address: (namespace: string) => address(cluster.hosts, namespace),
        leaderAddress: (namespace: string) => address(leader, namespace),
      });
    },
  });
});
