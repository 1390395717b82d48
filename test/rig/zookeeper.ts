import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { program, serverPath } from "./available.js";
import { freePort } from "./free-port.js";
import { RunningServer } from "./running-server.js";
import { ServerProcess } from "./server-process.js";
import { temporaryFolder } from "./temporary-folder.js";

export interface ZookeeperOptions {
  /** Its unit of time; the shortest session has two. 100 ms, unless said, where 2000 is ZooKeeper's own. */
  readonly tickMs?: number;
  /** A key store with its certificate, and its password: it speaks TLS only then. */
  readonly tls?: { readonly keyStore: string; readonly password: string };
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** More lines of its configuration. */
  readonly config?: readonly string[];
  /** Java's system properties, by which some of it is configured. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** One ZooKeeper server on a port of its own. */
export async function startZookeeper(options: ZookeeperOptions = {}): Promise<RunningServer> {
  const port = await freePort();
  const folder = temporaryFolder("zookeeper");
  writeFileSync(join(folder, "zoo.cfg"), [...settings(folder, port, options), ""].join("\n"));
  const server = await ServerProcess.start({
    name: "zookeeper",
    command: program("java"),
    args: [
      ...javaArguments,
      ...Object.entries(options.properties ?? {}).map(([name, value]) => `-D${name}=${value}`),
      ...["-cp", zookeeperClasses(), "org.apache.zookeeper.server.quorum.QuorumPeerMain"],
      join(folder, "zoo.cfg"),
    ],
    cwd: folder,
    env: options.env ?? {},
    ready: port,
  });
  const address = `zookeeper${options.tls ? "s" : ""}://127.0.0.1:${port}`;
  return new RunningServer(server, { address, port, folder });
}

/** A small heap, and a start in a second or two: a server for tests lives for less than a minute. */
export const javaArguments = [
  ...["-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"],
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];

export function zookeeperClasses(): string {
  const folder = dirname(serverPath("zookeeper"));
  // Debian's archive of the server names neither: they are for its log, and for TLS.
  const others = ["slf4j-simple.jar", "netty-codec.jar"].map((name) => join(folder, name));
  return [serverPath("zookeeper"), ...others].join(":");
}

function settings(
  folder: string,
  port: number,
  { tickMs = 100, tls, config = [] }: ZookeeperOptions,
): string[] {
  const secure = tls
    ? [
        `secureClientPort=${port}`,
        "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
        `ssl.keyStore.location=${tls.keyStore}`,
        `ssl.keyStore.password=${tls.password}`,
        "ssl.clientAuth=none",
      ]
    : [`clientPort=${port}`, "clientPortAddress=127.0.0.1"];
  return [
    `tickTime=${tickMs}`,
    // Tests open sessions of any length, and many of them from one host.
    "maxSessionTimeout=60000",
    "maxClientCnxns=0",
    `dataDir=${join(folder, "data")}`,
    "admin.enableServer=false",
    ...secure,
    ...config,
  ];
}
