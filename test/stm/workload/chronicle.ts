import type { Client, History, Operation } from "lockstep/check";

/** `["append", key, value]`, `["w", key, value]` or `["r", key, what was read]`. */
export type Micro = readonly [action: string, key: string, value: unknown];

/** One attempt of a transaction, that has begun. The first word about its end counts. */
export interface Attempt {
  /** What it has done so far, and goes on to do. */
  readonly did: Micro[];
  committed(): void;
  aborted(): void;
}

interface Draft extends Operation {
  outcome: Operation["outcome"];
  returned: number;
  result: unknown;
}

/**
 * What the transactions did, each attempt as one of its own: what one that was given up has written, nobody
 * may see. Nothing is copied, so that a million of them take no time to speak of.
 */
export class Chronicle {
  readonly #operations: Draft[] = [];
  #moment = 0;
  committed = 0;

  begin(client: Client): Attempt {
    const did: Micro[] = [];
    const draft: Draft = {
      client,
      name: "txn",
      args: [did],
      result: undefined,
      outcome: "unknown",
      invoked: this.#moment++,
      returned: Infinity,
    };
    this.#operations.push(draft);
    const end = (outcome: "ok" | "fail") => {
      if (draft.outcome !== "unknown") return;
      draft.outcome = outcome;
      draft.returned = this.#moment++;
      if (outcome === "fail") return;
      draft.result = did;
      this.committed++;
    };
    return { did, committed: () => end("ok"), aborted: () => end("fail") };
  }

  /** Part of a transaction, that has been undone though the rest went on. */
  undone(client: Client, did: Micro[]): void {
    const attempt = this.begin(`part of ${client}`);
    attempt.did.push(...did);
    attempt.aborted();
  }

  get history(): History {
    return { operations: this.#operations };
  }
}
