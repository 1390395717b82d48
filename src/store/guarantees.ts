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
  /**
   * Whether unbound keys survive a killed process ('process'), a power failure ('power'), or neither; or what
   * else whoever runs the server has chosen there ('as-configured').
   */
  readonly durable: "no" | "process" | "power" | "as-configured";
  /**
   * 'own': a revision stands for a commit that changed something in this store, and for nothing else.
   * 'shared': it also rises with what else is done on the same server.
   */
  readonly revisions: "own" | "shared";
  /**
   * 'any': a change may bind keys to any live sessions. 'own': to one session only, opened by the client that
   * makes the change.
   */
  readonly bindings: "any" | "own";
  /** 'log': a watch from an old revision replays what happened since; 'resync': it begins with a snapshot. */
  readonly watch: "log" | "resync";
  /**
   * What wakes a watcher: the event with what its change has to show, the event alone, a bare knock after
   * which it reads, or nothing but its own poll.
   */
  readonly push: "view" | "data" | "doorbell" | "poll";
  /**
   * Whether a fencing token can ever be lower than one handed out before: never; after a failover to a server
   * whose clock is behind by more than the failover took; or after any failover.
   */
  readonly fence: "monotonic" | "follows-clock-on-failover" | "regresses-on-failover";
  readonly failoverLosesCommits: boolean;
  /** Whose clock decides that a session has expired. */
  readonly expiryClock: "process" | "host" | "server";
  /** Whether setting that clock ends sessions early, or late: where it is a wall clock. */
  readonly expiryMovesWithWallClock: boolean;
  /** Whether a failover gives every session its whole time to live again. */
  readonly failoverRestartsExpiry: boolean;
  /** Whether the death of a process ends its sessions before their time is up. */
  readonly noticesDeath: boolean;
  readonly ttl: { readonly minMs: number; readonly maxMs: number; readonly grainMs: number };
  /** The most conditions and writes that one change may hold. */
  readonly maxOperations: number;
  readonly maxValueBytes: number;
}
