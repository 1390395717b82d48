import { freePort } from "./free-port.js";
import { serverPath } from "./available.js";
import { RunningServer } from "./running-server.js";
import { ServerProcess } from "./server-process.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface EtcdOptions {
  /** Further arguments, such as `["--quota-backend-bytes=16777216"]`. */
  readonly args?: readonly string[];
  /** A free one unless given. */
  readonly port?: number;
  /** Files for TLS; with them it is reached by `etcds:`. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

/** One etcd server. */
export async function startEtcd({ args = [], tls, ...given }: EtcdOptions = {}): Promise<RunningServer> {
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
  const address = `${tls ? "etcds" : "etcd"}://127.0.0.1:${port}`;
  return new RunningServer(process, { address, port, folder });
}
