import type { Guarantees } from "../../store/guarantees.js";
import { serverTtlFactor } from "./bound-session.js";

/** What the engine promises on a server that allows sessions of these lengths. */
export function guaranteesWithin(shortestMs: number, longestMs: number): Guarantees {
  return {
    engine: "zookeeper",
    linearizableReads: true,
    reach: "network",
    durable: "power",
    revisions: "shared",
    bindings: "own",
    watch: "resync",
    push: "doorbell",
    fence: "monotonic",
    failoverLosesCommits: false,
    expiryClock: "server",
    expiryMovesWithWallClock: false,
    failoverRestartsExpiry: true,
    noticesDeath: false,
    ttl: {
      minMs: Math.ceil(shortestMs / serverTtlFactor),
      maxMs: Math.floor(longestMs / serverTtlFactor),
      // Servers round up to their next tick, of which the shortest session has two, unless they are told
      // else.
      grainMs: Math.ceil(shortestMs / 2),
    },
    maxOperations: 128,
    maxValueBytes: 1_000_000,
  };
}
