import { describeOn, type ServerName } from "../rig/available.js";
import type { RunningServer } from "../rig/running-server.js";
import { storeAddress } from "../rig/store-address.js";
import type { Cluster, Environment, Place } from "./ground.js";
import { playDays } from "./play-days.js";

/** Several servers as the rig starts them. */
type ServerCluster = Omit<Cluster, "address" | "leaderAddress"> & {
  readonly hosts: string;
  readonly leaderHost: string;
};

export interface ServerGround {
  readonly ttlMs: number;
  start(env?: Environment): Promise<RunningServer>;
  /** Whether the server believes what its environment says of the time. */
  readonly believesFalseTime: boolean;
  startCluster(): Promise<ServerCluster>;
  /** Makes the server at a port forget what was before. */
  compact?(port: number): Promise<void>;
}

/** The bad days of an engine whose stores are on a server. */
export function playDaysOn(engine: ServerName, ground: ServerGround): void {
  const start = async (env?: Environment): Promise<Place> => {
    const server = await ground.start(env);
    const { compact } = ground;
    return {
      server,
      address: (namespace, port = server.port) => storeAddress(engine, `127.0.0.1:${port}`, namespace),
      ...(compact && { compact: () => compact(server.port) }),
      stop: () => server.stop(),
    };
  };
  describeOn(engine, `on ${engine}`, () => {
    playDays({
      engine,
      ttlMs: ground.ttlMs,
      start: () => start(),
      ...(ground.believesFalseTime && { startUnder: start }),
      startCluster: async () => {
        const cluster = await ground.startCluster();
        const { leaderHost } = cluster;
        return Object.assign(cluster, {
          address: (namespace: string) => storeAddress(engine, cluster.hosts, namespace),
          leaderAddress: (namespace: string) => storeAddress(engine, leaderHost, namespace),
        });
      },
    });
  });
}
