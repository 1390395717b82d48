import type { Engine } from "./reliability-page.js";

/** A server that runs for the tests, as test/rig gives it. */
export interface Server {
  readonly port: number;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Ends it, if it still runs, and starts it anew. */
  restart(): Promise<void>;
}

/** Several servers of which one leads, and another takes over when that one is gone. */
export interface Cluster {
  /** The address of all of them, or of the one that leads now where clients know only one. */
  address(namespace: string): string;
  /** The address by which clients talk to the leader alone, whatever becomes of it. */
  leaderAddress(namespace: string): string;
  /** The leader dies; resolves when another leads. */
  killLeader(): Promise<void>;
  /** From now on what the leader writes comes to no other; undefined where a majority takes each write. */
  stopReplication?(): Promise<void>;
  /** No other member hears the leader, nor it them; its clients reach it still. */
  isolateLeader?(): Promise<void>;
  /** The leader does nothing at all for a while. */
  freezeLeader(): void;
  thawLeader(): void;
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export type Environment = Readonly<Record<string, string>>;

/** Where the days of one engine are played. */
export interface Place {
  /** A store that nobody else uses. With a port: that of a proxy in front of the server. */
  address(namespace: string, port?: number): string;
  readonly server?: Server;
  /** Makes it forget what was before, if it keeps a log. */
  compact?(): Promise<void>;
  stop(): Promise<void>;
}

/** An engine, and how to set the scene for its bad days. */
export interface Ground {
  readonly engine: Engine;
  /** As short as the engine allows, but so long that two busy cores keep up with it. */
  readonly ttlMs: number;
  start(): Promise<Place>;
  /** The same with more in the server's environment, by which it is lied to about the time, if that works. */
  startUnder?(env: Environment): Promise<Place>;
  startCluster?(): Promise<Cluster>;
}
