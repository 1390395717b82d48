import { appendFileSync, chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "./available.js";
import { freePort } from "./free-port.js";
import { RunningServer } from "./running-server.js";
import { runProgram, runProgramAside, ServerProcess } from "./server-process.js";
import { temporaryFolder } from "./temporary-folder.js";

/** It refuses to run as root. */
const user = "postgres";

export interface PostgresOptions {
  /** Asked of whoever connects; without it everybody is let in. */
  readonly password?: string;
  /** A certificate and its key, as files: it speaks TLS besides, or nothing else where that is demanded. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly only?: boolean };
  /** More of postgresql.conf, as in `["max_connections = 20"]`. */
  readonly settings?: readonly string[];
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The address of a primary that it follows as a standby. */
  readonly follows?: string;
}

/** One Postgres server on a port of its own. Its durability is what it is by default. */
export async function startPostgres(options: PostgresOptions = {}) {
  const port = await freePort();
  const folder = temporaryFolder("postgres", user);
  const data = join(folder, "data");
  if (options.follows === undefined) initialize(folder, data, options);
  else {
    const copy = ["-D", data, "-d", options.follows, "-R", "-c", "fast", "-X", "stream"];
    // The primary may be asked through a proxy of this process.
    await runProgramAside(program("pg_basebackup"), copy, user);
  }
  const settings = [
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    "listen_addresses = '127.0.0.1'",
    "shared_buffers = 32MB",
    "max_wal_size = 256MB",
    ...(options.settings ?? []),
  ];
  appendFileSync(join(data, "postgresql.conf"), settings.map((line) => `${line}\n`).join(""));
  const server = await ServerProcess.start({
    name: "postgres",
    command: program("postgres"),
    args: ["-D", data],
    cwd: folder,
    env: options.env ?? {},
    user,
    // It ends its clients' connections then, and does not wait for them.
    stopSignal: "SIGINT",
    ready: /database system is ready to accept (read-only )?connections/,
  });
  const secret = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}`;
  const address = `postgres://${user}${secret}@127.0.0.1:${port}/postgres`;
  return Object.assign(new RunningServer(server, { address, port, folder }), {
    /** Makes a primary of a standby. */
    promote: () => {
      runProgram(program("pg_ctl"), ["promote", "-w", "-D", data], user);
    },
  });
}

function initialize(folder: string, data: string, { password, tls }: PostgresOptions): void {
  const secret = join(folder, "password");
  writeFileSync(secret, password ?? "unused", { mode: 0o644 });
  const method = password === undefined ? "trust" : "scram-sha-256";
  const locale = ["-E", "UTF8", "--locale=C.UTF-8"];
  const access = ["-U", user, "-A", method, "--pwfile", secret];
  runProgram(program("initdb"), ["-D", data, "--no-sync", ...access, ...locale], user);
  if (!tls) return;
  const key = join(folder, "key.pem");
  // It refuses a key that others may read, too.
  writeFileSync(key, readFileSync(tls.key), { mode: 0o600 });
  if (process.getuid?.() === 0) chownSync(key, statSync(folder).uid, statSync(folder).gid);
  const lines = `ssl = on\nssl_cert_file = '${tls.cert}'\nssl_key_file = '${key}'\n`;
  appendFileSync(join(data, "postgresql.conf"), lines);
  if (tls.only) writeFileSync(join(data, "pg_hba.conf"), `hostssl all all 127.0.0.1/32 ${method}\n`);
}
