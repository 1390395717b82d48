import { once } from "node:events";
import { createConnection } from "node:net";
import { FaultProxy } from "./fault-proxy.js";
import { startRedis } from "./redis.js";

/** A Redis server with a replica, which hears of its writes through a proxy. */
export async function startRedisReplica() {
  const primary = await startRedis();
  const proxy = await FaultProxy.start({ to: primary.port });
  const replica = await startRedis({
    args: ["--replicaof", "127.0.0.1", String(proxy.port)],
    ready: /MASTER <-> REPLICA sync: Finished with success/,
  });
  let leader = primary;
  return {
    /** That of the server that takes writes. */
    get leaderPort() {
      return leader.port;
    },
    /** From now on the replica hears of no write. */
    stopReplication: async () => {
      proxy.hold();
    },
    /** The primary dies, and the replica is promoted. */
    async killLeader() {
      primary.kill("SIGKILL");
      await primary.exited();
      await ask(replica.port, "REPLICAOF NO ONE");
      leader = replica;
    },
    freezeLeader: () => {
      leader.kill("SIGSTOP");
    },
    thawLeader: () => {
      leader.kill("SIGCONT");
    },
    heal: () => proxy.heal(),
    async stop() {
      await Promise.all([primary.stop(), replica.stop(), proxy.close()]);
    },
  };
}

/** One command, said as a person would by telnet. */
async function ask(port: number, command: string): Promise<void> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write(`${command}\r\n`);
  const [reply] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  if (!reply.toString().startsWith("+")) throw new Error(`${command}: ${reply.toString()}`);
}
