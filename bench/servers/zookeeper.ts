// Locks on one ZooKeeper server.
import { startZookeeper } from "../../test/rig/zookeeper.js";
import type { Report } from "../report.js";
import { benchServer } from "./server-bench.js";

export function zookeeper(): Promise<Report> {
  return benchServer({
    server: "ZooKeeper",
    start: startZookeeper,
    module: "./servers/zookeeper-contenders.js",
    targets: ({ alone, contests }) => [
      alone.target("uncontended, pairs a second", "pairs", 0.9),
      contests.target("contended, acquisitions a second", "perSecond", 1),
    ],
  });
}
