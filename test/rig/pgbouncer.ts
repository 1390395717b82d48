import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "./available.js";
import { freePort } from "./free-port.js";
import type { RunningServer } from "./running-server.js";
import { ServerProcess } from "./server-process.js";
import { removeFolder, temporaryFolder } from "./temporary-folder.js";

/** PgBouncer in front of a server, which gives its connections out for one transaction at a time. */
export async function startPgBouncer(server: RunningServer) {
  const port = await freePort();
  const folder = temporaryFolder("pgbouncer", "postgres");
  const config = join(folder, "pgbouncer.ini");
  const settings = [
    "[databases]",
    `postgres = host=127.0.0.1 port=${server.port} user=postgres pool_size=2`,
    "[pgbouncer]",
    ...["listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir =", "auth_type = any"],
    "pool_mode = transaction",
  ];
  writeFileSync(config, settings.map((line) => `${line}\n`).join(""));
  const bouncer = await ServerProcess.start({
    name: "pgbouncer",
    command: program("pgbouncer"),
    args: [config],
    cwd: folder,
    user: "postgres",
    ready: port,
  });
  return {
    address: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await bouncer.stop();
      removeFolder(folder);
    },
  };
}
