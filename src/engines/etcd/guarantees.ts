import type { Guarantees } from "../../store/guarantees.js";
import { maxOperations } from "./transaction.js";

export const guarantees: Guarantees = {
  engine: "etcd",
  linearizableReads: true,
  reach: "network",
  durable: "power",
  revisions: "shared",
  bindings: "any",
  watch: "log",
  push: "data",
  fence: "monotonic",
  failoverLosesCommits: false,
  expiryClock: "server",
  expiryMovesWithWallClock: false,
  failoverRestartsExpiry: true,
  noticesDeath: false,
  ttl: { minMs: 2000, maxMs: 24 * 3600 * 1000, grainMs: 1000 },
  maxOperations,
  maxValueBytes: 1024 * 1024,
};
