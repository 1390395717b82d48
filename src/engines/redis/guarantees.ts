import type { Guarantees } from "../../store/guarantees.js";

export const guarantees: Guarantees = {
  engine: "redis",
  linearizableReads: true,
  reach: "network",
  durable: "as-configured",
  revisions: "own",
  bindings: "any",
  watch: "resync",
  push: "view",
  fence: "follows-clock-on-failover",
  failoverLosesCommits: true,
  expiryClock: "server",
  expiryMovesWithWallClock: true,
  failoverRestartsExpiry: false,
  noticesDeath: false,
  ttl: { minMs: 100, maxMs: 24 * 3600 * 1000, grainMs: 1 },
  maxOperations: 1024,
  maxValueBytes: 1024 * 1024,
};
