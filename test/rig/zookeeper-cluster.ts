import { mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { program } from "./available.js";
import { ServerCluster } from "./cluster.js";
import { freePort } from "./free-port.js";
import { PeerNetwork } from "./peer-network.js";
import { ServerProcess } from "./server-process.js";
import { removeFolder, temporaryFolder } from "./temporary-folder.js";
import { javaArguments, zookeeperClasses } from "./zookeeper.js";

const tickMs = 100;

/** Three members of ZooKeeper, which reach each other through proxies. */
export async function startZookeeperCluster(): Promise<ServerCluster> {
  const folder = temporaryFolder("zookeeper-cluster");
  const network = new PeerNetwork();
  const plans = await Promise.all(
    [0, 1, 2].map(async (number) => {
      const [port, peer, election] = [await freePort(), await freePort(), await freePort()];
      const fronts = [await network.front(number, peer), await network.front(number, election)];
      return { number, port, own: `${peer}:${election}`, others: fronts.join(":") };
    }),
  );
  const members = await Promise.all(
    plans.map(async ({ number, port }) => {
      const home = join(folder, String(number));
      mkdirSync(home);
      writeFileSync(join(home, "myid"), `${number + 1}\n`);
      // Each listens on its own ports, and reaches the others by the proxies in front of theirs.
      const servers = plans.map((plan) => {
        const ports = plan.number === number ? plan.own : plan.others;
        return `server.${plan.number + 1}=127.0.0.1:${ports}`;
      });
      const settings = [
        ...[`tickTime=${tickMs}`, "initLimit=20", "syncLimit=10", `dataDir=${home}`],
        ...["maxSessionTimeout=60000", "maxClientCnxns=0", "admin.enableServer=false"],
        ...["4lw.commands.whitelist=srvr", `clientPort=${port}`, "clientPortAddress=127.0.0.1"],
        ...servers,
      ];
      writeFileSync(join(home, "zoo.cfg"), `${settings.join("\n")}\n`);
      const classes = ["-cp", zookeeperClasses(), "org.apache.zookeeper.server.quorum.QuorumPeerMain"];
      const process = await ServerProcess.start({
        name: `zookeeper ${number}`,
        command: program("java"),
        args: [...javaArguments, ...classes, join(home, "zoo.cfg")],
        cwd: home,
        ready: port,
      });
      return { process, port, isLeading: () => isLeading(port) };
    }),
  );
  network.connect(members.map(({ process }) => process));
  return ServerCluster.of(members, network, () => {
    removeFolder(folder);
  });
}

async function isLeading(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1").setEncoding("utf8").setTimeout(500);
  let text = "";
  socket.on("data", (data: string) => (text += data));
  socket.on("timeout", () => socket.destroy());
  socket.on("error", () => undefined);
  socket.write("srvr");
  await once(socket, "close").catch(() => undefined);
  return text.includes("Mode: leader");
}
