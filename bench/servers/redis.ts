// Locks on one Redis server, and what they ask of it.
import { serverPath } from "../../test/rig/available.js";
import { startRedis } from "../../test/rig/redis.js";
import { runProgram } from "../../test/rig/server-process.js";
import type { Report } from "../report.js";
import { redisCommands } from "./redis-commands.js";
import { atOnceTarget, benchServer } from "./server-bench.js";

const module = "./servers/redis-contenders.js";
/** As Redis does unless it is told otherwise. */
const snapshots = ["--save", "3600 1 300 100 60 10000"];

export function redis(): Promise<Report> {
  return benchServer({
    server: "Redis",
    version: () => runProgram(serverPath("redis"), ["--version"]),
    start: () => startRedis({ args: snapshots }),
    module,
    targets: (measured) => [
      measured.alone.target("uncontended, pairs a second", "pairs", 1),
      atOnceTarget(measured, 5),
      measured.contests.target("contended, acquisitions a second", "perSecond", 1.3),
      measured.contests.target("hand-over p50", "handOverP50", 0.5),
      measured.contests.target("wait p99", "waitP99", 0.2),
    ],
    also: (address, contenders) => redisCommands(module, address, contenders),
  });
}
