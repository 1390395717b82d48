import { serverPath } from "./available.js";
import { freePort } from "./free-port.js";
import { RunningServer } from "./running-server.js";
import { ServerProcess } from "./server-process.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface RedisOptions {
  /** More of its command line, as in `["--requirepass", "secret"]`. */
  readonly args?: readonly string[];
  /** Whether what it knows survives a restart: "no", unless said. */
  readonly persistence?: "no" | "every write";
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** When it is ready, if not when it accepts connections. */
  readonly ready?: RegExp;
  /** A certificate, its key and their authority, as files: it speaks TLS only then. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** One Redis server on a port of its own. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningServer> {
  const port = await freePort();
  const folder = temporaryFolder("redis");
  const { tls } = options;
  const ports = tls
    ? ["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no", ...tlsArguments(tls)]
    : ["--port", String(port)];
  const append = options.persistence === "every write" ? ["yes", "--appendfsync", "always"] : ["no"];
  const server = await ServerProcess.start({
    name: "redis-server",
    command: serverPath("redis"),
    args: [
      ...ports,
      ...["--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", ...append],
      ...(options.args ?? []),
    ],
    env: options.env ?? {},
    ready: options.ready ?? /Ready to accept connections/,
  });
  const address = `${tls ? "rediss" : "redis"}://127.0.0.1:${port}`;
  return new RunningServer(server, { address, port, folder });
}

function tlsArguments({ cert, key, ca }: { cert: string; key: string; ca: string }): string[] {
  return ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
}
