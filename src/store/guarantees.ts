/**
 * What an engine really promises, as data: a recipe states what it needs, and fails by name where an engine
 * falls short.
 */
export interface Guarantees {
  readonly engine: string;
  /** Reads see every commit that was acknowledged before they began. */
  readonly linearizableReads: boolean;
  /** Whether other processes can share the store. */
  readonly reach: "process" | "host" | "network";
  /** Whether unbound keys survive a killed process ('process'), a power failure ('power'), or neither. */
  readonly durable: "no" | "process" | "power";
  /** 'log': a watch from an old revision replays what happened since; 'resync': it begins with a snapshot. */
  readonly watch: "log" | "resync";
  /**
   * What wakes a watcher: the event itself, a bare knock after which it reads, or nothing but its own poll.
   */
  readonly push: "data" | "doorbell" | "poll";
  /** Whether a fencing token can ever be lower than one handed out before. */
  readonly fence: "monotonic" | "regresses-on-failover";
  readonly failoverLosesCommits: boolean;
  /** Whose clock decides that a session has expired. */
  readonly expiryClock: "process" | "host" | "server";
  /** Whether the death of a process ends its sessions before their time is up. */
  readonly noticesDeath: boolean;
  readonly ttl: { readonly minMs: number; readonly maxMs: number; readonly grainMs: number };
  /** The most conditions and writes that one change may hold. */
  readonly maxOperations: number;
  readonly maxValueBytes: number;
}
