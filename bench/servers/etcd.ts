// Locks on one etcd server.
import { serverPath } from "../../test/rig/available.js";
import { startEtcd } from "../../test/rig/etcd.js";
import { runProgram } from "../../test/rig/server-process.js";
import type { Report } from "../report.js";
import { benchServer } from "./server-bench.js";

export function etcd(): Promise<Report> {
  return benchServer({
    server: "etcd",
    version: () => runProgram(serverPath("etcd"), ["--version"]),
    start: startEtcd,
    module: "./servers/etcd-contenders.js",
    targets: ({ alone, contests }) => [
      alone.target("uncontended, pairs a second", "pairs", 1.5),
      contests.target("contended, acquisitions a second", "perSecond", 3),
      contests.target("hand-over p50", "handOverP50", 0.3),
    ],
  });
}
