import { statusOfSignal } from "./exit-status.js";
import type { GuardedCommand } from "./guarded-command.js";

const handled = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;
/** A terminal sends these to the command as well, which would else get them twice. */
const sentByTerminals: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

/** What a wait rejects with that a signal ended. */
export class Interrupted extends Error {
  readonly status: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.status = statusOfSignal(signal);
  }
}

/** Signals that we get go to the command; while there is none, they end the wait for its turn. */
export class Signals {
  readonly #wait = new AbortController();
  #command: GuardedCommand | undefined;
  #endsWait = true;

  /** `source` is what hears of signals. */
  constructor(source: NodeJS.EventEmitter = process) {
    for (const signal of handled) source.on(signal, this.#onSignal);
  }

  /** Aborted with {@link Interrupted}. */
  get wait(): AbortSignal {
    return this.#wait.signal;
  }

  sendTo(command: GuardedCommand): void {
    this.#command = command;
    this.#endsWait = false;
  }

  /** The command is ending, by our doing: whoever signals now means us as well. */
  endWaitToo(): void {
    this.#endsWait = true;
  }

  commandEnded(): void {
    this.#command = undefined;
    this.#endsWait = true;
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    const command = this.#command;
    if (command && !(process.stdin.isTTY && sentByTerminals.includes(signal))) command.signal(signal);
    if (!this.#endsWait) return;
    // Whoever signals again has waited long enough for our tidying up.
    if (this.#wait.signal.aborted && !command) process.exit(statusOfSignal(signal));
    this.#wait.abort(new Interrupted(signal));
  };
}
