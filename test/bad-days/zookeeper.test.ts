import { startZookeeper } from "../rig/zookeeper.js";
import { startZookeeperCluster } from "../rig/zookeeper-cluster.js";
import { playDaysOn } from "./on-server.js";

playDaysOn("zookeeper", {
  // Java stops now and then, and five servers at once do so often.
  ttlMs: 2000,
  start: (env = {}) => startZookeeper({ env }),
  believesFalseTime: true,
  startCluster: startZookeeperCluster,
});
