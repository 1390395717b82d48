// Locks on one ZooKeeper server.
import { startZookeeper } from "../../test/rig/zookeeper.js";
import type { Report } from "../report.js";
import { benchServer } from "./server-bench.js";

/** As ZooKeeper has it unless it is told otherwise. */
const usualTickMs = 2000;

export function zookeeper(): Promise<Report> {
  return benchServer({
    server: "ZooKeeper",
    start: () => startZookeeper({ tickMs: usualTickMs }),
    module: "./servers/zookeeper-contenders.js",
    targets: ({ alone, contests }) => [
      alone.target("uncontended, pairs a second", "pairs", 0.9),
      contests.target("contended, acquisitions a second", "perSecond", 1),
    ],
  });
}
