import { freePort } from "./free-port.js";
import { serverPath } from "./available.js";
import { ServerProcess } from "./server-process.js";
import { removeFolder, temporaryFolder } from "./temporary-folder.js";

export interface EtcdOptions {
  /** Further arguments, such as `["--quota-backend-bytes=16777216"]`. */
  readonly args?: readonly string[];
  /** A free one unless given. */
  readonly port?: number;
  /** Files for TLS; with them it is reached by `etcds:`. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** One etcd server. */
export class EtcdServer {
  readonly port: number;
  readonly #process: ServerProcess;
  readonly #folder: string;
  readonly #scheme: string;

  constructor(process: ServerProcess, port: number, folder: string, scheme: string) {
    this.#process = process;
    this.port = port;
    this.#folder = folder;
    this.#scheme = scheme;
  }

  /** Without a namespace. */
  get address(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** With the same data, on the same port. */
  restart(): Promise<void> {
    return this.#process.restart();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    removeFolder(this.#folder);
  }
}

export async function startEtcd({ args = [], tls, ...given }: EtcdOptions = {}): Promise<EtcdServer> {
  const [port, peerPort] = [given.port ?? (await freePort()), await freePort()];
  const folder = temporaryFolder("etcd");
  const clients = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
  const peers = `http://127.0.0.1:${peerPort}`;
  const process = await ServerProcess.start({
    name: "etcd",
    command: serverPath("etcd"),
    args: [
      ...["--name=etcd", `--data-dir=${folder}`, "--logger=zap", "--log-level=warn"],
      ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`],
      ...[`--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`],
      `--initial-cluster=etcd=${peers}`,
      ...(tls ? [`--cert-file=${tls.cert}`, `--key-file=${tls.key}`] : []),
      ...(tls?.clientCa === undefined ? [] : ["--client-cert-auth", `--trusted-ca-file=${tls.clientCa}`]),
      ...args,
    ],
    ready: port,
  });
  return new EtcdServer(process, port, folder, tls ? "etcds" : "etcd");
}
