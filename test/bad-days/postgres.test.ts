import { startPostgresStandby } from "../rig/postgres-standby.js";
import { startPostgres } from "../rig/postgres.js";
import { playDaysOn } from "./on-server.js";

playDaysOn("postgres", {
  ttlMs: 1000,
  start: (env = {}) => startPostgres({ env }),
  believesFalseTime: true,
  startCluster: startPostgresStandby,
});
