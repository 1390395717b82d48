import { startEtcd } from "../rig/etcd.js";
import { startEtcdCluster } from "../rig/etcd-cluster.js";
import { playDaysOn } from "./on-server.js";

playDaysOn("etcd", {
  // Its shortest.
  ttlMs: 2000,
  start: () => startEtcd(),
  // Go asks the kernel, past any library.
  believesFalseTime: false,
  startCluster: startEtcdCluster,
  compact,
});

/** All history up to now is forgotten. */
async function compact(port: number): Promise<void> {
  const ask = async (call: string, body: object) => {
    const reply = await fetch(`http://127.0.0.1:${port}/v3/kv/${call}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return (await reply.json()) as { header?: { revision: string } };
  };
  const { header } = await ask("range", { key: "AA==" });
  await ask("compaction", { revision: header?.revision, physical: true });
}
