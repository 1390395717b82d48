import type { Handling } from "./actor-handlers.js";

/** How the promise of whoever sent a letter is settled. */
export interface LetterSender {
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

/** One message on its way: in a mailbox, and then in the hands of a handler. */
export class ActorLetter implements Handling {
  readonly kind: string;
  readonly payload: unknown;
  /** Whether its sender waits for a reply, and not only for room. */
  readonly isQuestion: boolean;
  /** Ends what would give the wait up. */
  callOff: (() => void) | undefined;
  /** @internal Its neighbours in the mailbox. */
  previous: ActorLetter | undefined;
  /** @internal */
  next: ActorLetter | undefined;
  /** @internal Where it is; `outside` while there is no room for it in the mailbox. */
  place: "outside" | "inside" | "taken" = "outside";
  #sender: LetterSender | undefined;
  readonly #givingUp: AbortSignal | undefined;
  #abort: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  /** `givingUp` is the signal of its sender, who may be told of an abort later than others. */
  constructor(
    kind: string,
    payload: unknown,
    isQuestion: boolean,
    sender?: LetterSender,
    givingUp?: AbortSignal,
  ) {
    this.kind = kind;
    this.payload = payload;
    this.isQuestion = isQuestion;
    this.#sender = sender;
    this.#givingUp = givingUp;
  }

  /** Whether its sender still waits. */
  get isAwaited(): boolean {
    return this.#sender !== undefined;
  }

  /** Whether the signal of its sender aborted while that was waiting, who will be told soon. */
  get isGivenUp(): boolean {
    return this.#givingUp?.aborted === true && this.isAwaited;
  }

  get signal(): AbortSignal {
    // Made when asked for: it costs more than the rest of a letter, and many handlers are short.
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted !== undefined) this.#abort.abort(this.#aborted.reason);
    }
    return this.#abort.signal;
  }

  /** Tells the handler that there is no use in going on. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#abort?.abort(reason);
  }

  /** Whether an error is no failure, but how a handler went along with having been aborted. */
  isAbortedBy(error: unknown): boolean {
    if (this.#aborted === undefined) return false;
    return error === this.#aborted.reason || (error instanceof Error && error.name === "AbortError");
  }

  /** It is in the mailbox, or in hand: whoever does not wait for a reply has nothing more to wait for. */
  accept(): void {
    if (!this.isQuestion) this.resolve(undefined);
  }

  /** Lets its sender go on, who may have given up before. */
  resolve(reply: unknown): void {
    this.#settled()?.resolve(reply);
  }

  /** Tells its sender, if that still waits. */
  reject(error: unknown): void {
    this.#settled()?.reject(error);
  }

  #settled(): LetterSender | undefined {
    const sender = this.#sender;
    this.#sender = undefined;
    this.callOff?.();
    return sender;
  }
}
