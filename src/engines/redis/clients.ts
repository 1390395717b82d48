import type { Cluster, ClusterOptions, Redis, RedisOptions } from "ioredis";
import { nonce } from "../../base/nonce.js";

export type Client = Redis | Cluster;

/**
 * Longer than any pause of a healthy server; short enough that a session of ten seconds is renewed in time on
 * a new connection, should the old one be dead without a word.
 */
export const replyWithinMs = 3000;

/** The longest pause between two attempts to connect: so long a server that is back may go unnoticed. */
const longestPauseMs = 1000;

function pauseBeforeRetry(attempt: number): number {
  const jitter = parseInt(nonce().slice(0, 4), 16) / 0xffff;
  return Math.min(longestPauseMs, 20 * 2 ** attempt) * (0.5 + jitter / 2);
}

/** What must be so, whatever the settings of the user's own client are. */
const settings = {
  // A command is never sent again by itself: a commit that may have arrived must not be made a second time,
  // though its reply is lost. So those without a reply fail when the connection does.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  // What is subscribed to anew is followed by a look at what was missed.
  autoResubscribe: false,
  // A connection that says nothing for so long is given up, and what was asked on it fails.
  socketTimeout: replyWithinMs,
  commandTimeout: undefined,
  connectTimeout: replyWithinMs,
  // A master that became a replica: its name, or a sentinel, may lead to the new master by now.
  reconnectOnError: (error: Error) => error.message.includes("READONLY"),
  stringNumbers: false,
  protocol: 2,
  keyPrefix: "",
} satisfies RedisOptions;

const serverSettings = {
  ...settings,
  lazyConnect: true,
  // A command is sent at once or not at all.
  enableOfflineQueue: false,
  retryStrategy: pauseBeforeRetry,
  readOnly: false,
} satisfies RedisOptions;

const clusterSettings = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  clusterRetryStrategy: pauseBeforeRetry,
  clusterNodeRetryStrategy: null,
  // It would send a command again whose connection broke.
  retryDelayOnFailover: 0,
  scaleReads: "master",
  keyPrefix: "",
  redisOptions: settings,
} satisfies ClusterOptions;

/** A client of our own, made like the user's. */
export function clientLike(client: Client): Client {
  return client.isCluster
    ? (client as Cluster).duplicate([], clusterSettings)
    : (client as Redis).duplicate(serverSettings);
}

/**
 * A client for subscriptions. Of a cluster it is a connection to one of its nodes, for they tell each other:
 * so that its end is seen, and followed by another.
 */
export function subscriberLike(client: Client): Redis {
  if (!client.isCluster) return (client as Redis).duplicate(serverSettings);
  const nodes = (client as Cluster).nodes("master");
  const node = nodes[parseInt(nonce().slice(0, 4), 16) % nodes.length];
  if (!node) throw new Error("the cluster has no master that is known");
  return node.duplicate({ ...serverSettings, retryStrategy: () => null });
}

/** What stands before every key, and every channel: an ioredis client may be told to put it there. */
export function keyPrefixOf(client: Client): string {
  return client.options.keyPrefix ?? "";
}

/** Channels, unlike keys, are shared by all the databases of a server. */
export function databaseOf(client: Client): number {
  return client.isCluster ? 0 : ((client as Redis).options.db ?? 0);
}
