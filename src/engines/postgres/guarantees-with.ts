import type { Guarantees } from "../../store/guarantees.js";

/** What the engine promises where its watches are told so. */
export function guaranteesWith(push: Guarantees["push"]): Guarantees {
  return {
    engine: "postgres",
    linearizableReads: true,
    reach: "network",
    durable: "as-configured",
    revisions: "own",
    bindings: "any",
    watch: "resync",
    push,
    fence: "monotonic",
    failoverLosesCommits: true,
    expiryClock: "server",
    expiryMovesWithWallClock: true,
    failoverRestartsExpiry: false,
    noticesDeath: false,
    ttl: { minMs: 100, maxMs: 24 * 3600 * 1000, grainMs: 1 },
    maxOperations: 1024,
    maxValueBytes: 1024 * 1024,
  };
}
