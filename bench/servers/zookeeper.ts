// Locks on one ZooKeeper server.
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { serverPath } from "../../test/rig/available.js";
import { startZookeeper } from "../../test/rig/zookeeper.js";
import type { Report } from "../report.js";
import { benchServer } from "./server-bench.js";

/** As ZooKeeper has it unless it is told otherwise. */
const usualTickMs = 2000;

export function zookeeper(): Promise<Report> {
  return benchServer({
    server: "ZooKeeper",
    version: archiveOfVersion,
    start: () => startZookeeper({ tickMs: usualTickMs }),
    module: "./servers/zookeeper-contenders.js",
    targets: ({ alone, contests }) => [
      alone.target("uncontended, pairs a second", "pairs", 0.9),
      contests.target("contended, acquisitions a second", "perSecond", 1),
    ],
  });
}

/** Debian puts its archive there under two names, one of them with the version. */
function archiveOfVersion(): string {
  const names = readdirSync(dirname(serverPath("zookeeper")));
  return names.find((name) => /^zookeeper-\d/.test(name)) ?? "";
}
