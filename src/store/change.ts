/** A place in the one order of all commits of a store. It only rises. */
export type Revision = bigint;

/** One key with its value, as it stood at some revision. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision of the commit that made this key; it stays when the value is replaced. */
  readonly created: Revision;
  /** The revision of the commit that last wrote this key. */
  readonly modified: Revision;
  /** The session that this key vanishes with; undefined for a key that stays until it is deleted. */
  readonly session: string | undefined;
}

export type Condition =
  | { readonly kind: "absent"; readonly key: string }
  | { readonly kind: "created"; readonly key: string; readonly revision: Revision }
  | { readonly kind: "modified"; readonly key: string; readonly revision: Revision }
  | { readonly kind: "alive"; readonly session: string };

export type Write =
  | {
      readonly kind: "put";
      readonly key: string;
      readonly value: Uint8Array;
      readonly session?: string | undefined;
    }
  | { readonly kind: "delete"; readonly key: string };

/** What to read: one key, or every key that begins with a prefix. */
export type Query = (
  | { readonly key: string }
  | {
      readonly prefix: string;
      /** By key (the default, in the order of the keys' UTF-8 bytes) or by age, the oldest first. */
      readonly order?: "key" | "created" | undefined;
      /** At most so many entries. */
      readonly limit?: number | undefined;
      /** Also lists the live sessions. */
      readonly sessions?: boolean | undefined;
    }
) & {
  /**
   * Any state that is no older will do; without it, nothing that was acknowledged before may be missing. An
   * engine may answer sooner for it, and need not.
   */
  readonly atLeast?: Revision | undefined;
};

/** Writes that are made all together, and only if every condition holds. */
export interface Change {
  readonly when?: readonly Condition[];
  readonly then: readonly Write[];
  /**
   * Read after the writes: the change sees what it did, or what refused it. It is the same instant, but for
   * an engine that cannot read and write in one step: there others may have come between, and then the
   * snapshot has a later revision of its own.
   */
  readonly read?: Query | undefined;
  /** A prefix. Those who watch are shown its oldest key with the news of this change; it saves a look. */
  readonly show?: string | undefined;
}

export interface SessionInfo {
  readonly id: string;
  /** What the session's owner called itself: a process, a host. */
  readonly label: string;
  readonly ttlMs: number;
  /** How long it lives on if it is not renewed again. */
  readonly remainingMs: number;
}

/** The state that a query saw, all of it as it stood at one revision. */
export interface Snapshot {
  readonly revision: Revision;
  readonly entries: readonly Entry[];
  /** Only where the query asked for them. */
  readonly sessions?: readonly SessionInfo[];
}

export interface Committed {
  readonly ok: true;
  /** The revision that the writes got. */
  readonly revision: Revision;
  readonly snapshot: Snapshot;
}

export interface Refused {
  readonly ok: false;
  /** The first condition, in the order given, that did not hold. */
  readonly failed: Condition;
  readonly snapshot: Snapshot;
}

/** Something that happened to a key. */
export type Event =
  | { readonly kind: "put"; readonly key: string; readonly revision: Revision; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: Revision };

/** What one commit did to the watched keys. */
export interface Batch {
  readonly kind: "batch";
  readonly revision: Revision;
  readonly events: readonly Event[];
  /** The oldest key of what the commit shows, as of its own revision. Not every engine can, nor each time. */
  readonly shown?: Entry | undefined;
}

/** Events may be missing between the last batch and here; this is how things stand instead. */
export interface Resync {
  readonly kind: "resync";
  readonly snapshot: Snapshot;
}
