// Locks on one Postgres server, and the connections that they take.
import { serverPath } from "../../test/rig/available.js";
import { startPostgres } from "../../test/rig/postgres.js";
import { runProgram } from "../../test/rig/server-process.js";
import type { Report } from "../report.js";
import { postgresConnections } from "./postgres-connections.js";
import { benchServer } from "./server-bench.js";

export function postgres(): Promise<Report> {
  return benchServer({
    server: "Postgres",
    version: () => runProgram(serverPath("postgres"), ["--version"]),
    start: startPostgres,
    module: "./servers/postgres-contenders.js",
    targets: ({ alone, contests }) => [
      alone.target("uncontended, pairs a second", "pairs", 0.5),
      contests.target("hand-over p50", "handOverP50", 2),
    ],
    also: postgresConnections,
  });
}
