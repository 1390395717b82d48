import { isLockstepError, LockstepError } from "../../base/errors.js";
import type { Query, Snapshot } from "../../store/change.js";
import type { Server } from "./server.js";
import { arrayOf, operandsOf, shortcutFor, snapshotOf, transactionOf } from "./wire.js";
import type { Found, Step } from "./wire.js";

/** As much goes in one statement, unless a single request is longer. */
const mostBytes = 4 * 1024 * 1024;
/** What a request and its answer weigh, beside its values. */
const usualBytes = 1024;

interface Waiting {
  /** They have one answer together. */
  readonly steps: readonly Step[];
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What a client asks of its server. Requests that wait while a statement is under way travel together in the
 * next one, in their order; so do those that are made in one turn of the event loop. What only reads goes
 * apart from what needs the lock of all commits, by turns. What fails is never sent again.
 */
export class Requests {
  readonly #server: Server;
  readonly #changes: Waiting[] = [];
  readonly #reads: Waiting[] = [];
  #isBusy = false;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Asks for steps that have one answer together. */
  ask(...steps: readonly Step[]): Promise<unknown> {
    return this.#ask(this.#changes, steps);
  }

  /** As `ask`, for what does no harm if it was done though nobody knows. */
  async askHarmless(...steps: readonly Step[]): Promise<unknown> {
    try {
      return await this.ask(...steps);
    } catch (error) {
      if (!isLockstepError(error, "unknown-outcome")) throw error;
      throw new LockstepError("unavailable", error.message, { cause: error.cause });
    }
  }

  read(query: Query): Promise<Snapshot> {
    return this.#ask(this.#reads, [["read", ...operandsOf(query)]]) as Promise<Snapshot>;
  }

  #ask(waiting: Waiting[], steps: readonly Step[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      waiting.push({ steps, resolve, reject });
      if (this.#isBusy) return;
      this.#isBusy = true;
      queueMicrotask(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    while (this.#changes.length + this.#reads.length > 0) {
      if (this.#changes.length > 0) await this.#send(this.#changes, (list) => this.#transact(list));
      if (this.#reads.length > 0) await this.#send(this.#reads, (list) => this.#readAll(list));
    }
    this.#isBusy = false;
  }

  async #send(
    waiting: Waiting[],
    send: (list: readonly (readonly Step[])[]) => Promise<readonly unknown[]>,
  ): Promise<void> {
    const together = waiting.splice(0, countOf(waiting));
    try {
      const answers = await send(together.map(({ steps }) => steps));
      for (const [i, { resolve }] of together.entries()) resolve(answers[i]);
    } catch (error) {
      for (const { reject } of together) reject(error);
    }
  }

  async #transact(list: readonly (readonly Step[])[]): Promise<readonly unknown[]> {
    const shortcut = list.length === 1 ? shortcutFor(list.flat()) : undefined;
    return (await this.#server.call(shortcut ?? transactionOf(list))) as unknown[];
  }

  async #readAll(list: readonly (readonly Step[])[]): Promise<readonly Snapshot[]> {
    const call = { name: "read", args: [arrayOf(list.flat())] } as const;
    for (;;) {
      const answer = (await this.#server.call(call)) as [string, Found[]] | null;
      if (answer) return answer[1].map((found) => snapshotOf(BigInt(answer[0]), found));
      // Sessions have expired, or the server has crashed: that is a commit's business.
      await this.#transact([]);
    }
  }
}

/** How many of the first go together. */
function countOf(waiting: readonly Waiting[]): number {
  let bytes = 0;
  const over = waiting.findIndex(({ steps }, i) => {
    bytes += steps.flat().reduce((sum, cell) => sum + (cell?.length ?? 0), usualBytes);
    return i > 0 && bytes > mostBytes;
  });
  return over < 0 ? waiting.length : over;
}
