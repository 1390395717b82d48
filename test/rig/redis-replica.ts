import { once } from "node:events";
import { createConnection } from "node:net";
import { PrimaryAndStandby } from "./primary-and-standby.js";
import { startRedis } from "./redis.js";

/** A Redis server with a replica. */
export async function startRedisReplica() {
  return PrimaryAndStandby.of(
    await startRedis(),
    (port) =>
      startRedis({
        args: ["--replicaof", "127.0.0.1", String(port)],
        ready: /MASTER <-> REPLICA sync: Finished with success/,
      }),
    ({ port }) => ask(port, "REPLICAOF NO ONE"),
  );
}

/** One command, said as a person would by telnet. */
async function ask(port: number, command: string): Promise<void> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write(`${command}\r\n`);
  const [reply] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  if (!reply.toString().startsWith("+")) throw new Error(`${command}: ${reply.toString()}`);
}
