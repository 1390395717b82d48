import { join } from "node:path";
import { serverPath } from "./available.js";
import { ServerCluster } from "./cluster.js";
import { freePort } from "./free-port.js";
import { PeerNetwork } from "./peer-network.js";
import { ServerProcess } from "./server-process.js";
import { removeFolder, temporaryFolder } from "./temporary-folder.js";

/** Three members of etcd, which reach each other through proxies. */
export async function startEtcdCluster(): Promise<ServerCluster> {
  const folder = temporaryFolder("etcd-cluster");
  const network = new PeerNetwork();
  const plans = await Promise.all(
    [0, 1, 2].map(async (number) => {
      const [port, peerPort] = [await freePort(), await freePort()];
      return { name: `etcd${number}`, port, peerPort, front: await network.front(number, peerPort) };
    }),
  );
  const cluster = plans.map(({ name, front }) => `${name}=http://127.0.0.1:${front}`).join(",");
  const members = await Promise.all(
    plans.map(async ({ name, port, peerPort, front }) => {
      const clients = `http://127.0.0.1:${port}`;
      const process = await ServerProcess.start({
        name,
        command: serverPath("etcd"),
        args: [
          ...[`--name=${name}`, `--data-dir=${join(folder, name)}`, "--logger=zap", "--log-level=warn"],
          ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`],
          `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
          `--initial-advertise-peer-urls=http://127.0.0.1:${front}`,
          `--initial-cluster=${cluster}`,
        ],
        ready: port,
      });
      return { process, port, isLeading: () => isLeading(clients) };
    }),
  );
  network.connect(members.map(({ process }) => process));
  return ServerCluster.of(members, network, () => {
    removeFolder(folder);
  });
}

async function isLeading(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(500);
    const reply = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}", signal });
    const { leader, header } = (await reply.json()) as { leader?: string; header?: { member_id: string } };
    return leader !== undefined && leader === header?.member_id;
  } catch {
    return false;
  }
}
