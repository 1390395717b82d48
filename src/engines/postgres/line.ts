/** As much goes in one statement, unless a single request is longer. */
const mostBytes = 4 * 1024 * 1024;

interface Waiting {
  readonly request: object;
  readonly bytes: number;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes a list of requests of one kind, and gives the answer of each. */
export type Send<Kind> = (kind: Kind, requests: readonly object[]) => Promise<readonly unknown[]>;

/**
 * Requests that wait while a statement is under way travel together in the next one, in their order; so do
 * those that are made in one turn of the event loop. A statement holds requests of one kind, and the kinds
 * take turns. One that fails is never sent again.
 */
export class Line<Kind> {
  readonly #send: Send<Kind>;
  readonly #waiting = new Map<Kind, Waiting[]>();
  #isBusy = false;

  constructor(send: Send<Kind>) {
    this.#send = send;
  }

  ask(kind: Kind, request: object, bytes: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(kind);
      if (waiting) waiting.push({ request, bytes, resolve, reject });
      else this.#waiting.set(kind, [{ request, bytes, resolve, reject }]);
      if (this.#isBusy) return;
      this.#isBusy = true;
      queueMicrotask(() => void this.#work());
    });
  }

  async #work(): Promise<void> {
    for (const [kind, waiting] of this.#waiting) {
      // Those who come while it is under way queue up behind the other kinds.
      this.#waiting.delete(kind);
      const together = waiting.splice(0, countOf(waiting));
      if (waiting.length > 0) this.#waiting.set(kind, waiting);
      try {
        const answers = await this.#send(
          kind,
          together.map(({ request }) => request),
        );
        for (const [i, { resolve }] of together.entries()) resolve(answers[i]);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.#isBusy = false;
  }
}

/** How many of the first go together. */
function countOf(waiting: readonly Waiting[]): number {
  let bytes = 0;
  let count = 0;
  for (const { bytes: more } of waiting) {
    bytes += more;
    if (count > 0 && bytes > mostBytes) break;
    count++;
  }
  return count;
}
