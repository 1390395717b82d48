import { FaultProxy } from "./fault-proxy.js";
import { startPostgres } from "./postgres.js";

/** A Postgres server with a streaming standby, which hears of its writes through a proxy. */
export async function startPostgresStandby() {
  const primary = await startPostgres();
  const proxy = await FaultProxy.start({ to: primary.port });
  const follows = primary.address.replace(`:${primary.port}/`, `:${proxy.port}/`);
  const standby = await startPostgres({ follows });
  let leader = primary;
  return {
    /** That of the server that takes writes. */
    get leaderPort() {
      return leader.port;
    },
    /** From now on the standby hears of no write. */
    stopReplication: async () => {
      proxy.hold();
    },
    /** The primary dies, and the standby is promoted. */
    async killLeader() {
      primary.kill("SIGKILL");
      await primary.exited();
      standby.promote();
      leader = standby;
    },
    freezeLeader: () => {
      leader.kill("SIGSTOP");
    },
    thawLeader: () => {
      leader.kill("SIGCONT");
    },
    heal: () => proxy.heal(),
    async stop() {
      await Promise.all([primary.stop(), standby.stop(), proxy.close()]);
    },
  };
}
