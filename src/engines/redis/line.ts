import type { Applied } from "../../base/errors.js";
import { refused, type Connection } from "./connection.js";
import type { Answer, Reply } from "./replies.js";
import type { Argument } from "./requests.js";

/**
 * What is longer is sent at once: for nobody else is served while a script runs, and while one runs, the
 * answers of another are read here.
 */
const mostBytes = 16 * 1024;
/** What an argument takes besides itself. */
const argumentBytes = 16;

interface Waiting {
  readonly ifLost: Applied;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Changes that are made in one turn of the event loop travel together, in their order: the server runs a
 * script for all of them, and gives each its own verdict. So those whose answers came together, as all who
 * were woken by the same message, go on together; and who is alone waits for nobody.
 */
export class Line {
  readonly #connection: Connection;
  readonly #onWait: (waitMs: number | null) => void;
  #waiting: Waiting[] = [];
  #args: Argument[] = [];
  #bytes = 0;

  /** Every answer says to `onWait` when a session may be due. */
  constructor(connection: Connection, onWait: (waitMs: number | null) => void) {
    this.#connection = connection;
    this.#onWait = onWait;
  }

  ask(args: readonly Argument[], ifLost: Applied): Promise<Answer> {
    for (const argument of args) {
      this.#args.push(argument);
      this.#bytes += argument.length + argumentBytes;
    }
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ ifLost, resolve, reject });
      if (this.#bytes > mostBytes) this.depart();
      else if (count === 1) process.nextTick(this.depart);
    });
  }

  /** Sends what waits for the end of this turn. */
  readonly depart = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const sent = this.#connection.run(this.#args);
    this.#waiting = [];
    this.#args = [];
    this.#bytes = 0;
    sent.then(
      (reply) => {
        this.#answer(waiting, reply);
      },
      (cause: unknown) => {
        // Nobody knows how far it came, unless the server says that it did nothing.
        for (const { ifLost, reject } of waiting) reject(this.#connection.failure(cause, ifLost));
      },
    );
  };

  #answer(waiting: readonly Waiting[], reply: Reply): void {
    this.#onWait(reply[0]);
    for (let i = 0; i < waiting.length; i++) {
      const answer = reply[i + 1] as Answer;
      const [verdict] = answer;
      if (typeof verdict === "number") waiting[i]!.resolve(answer);
      else waiting[i]!.reject(refused(verdict.toString()));
    }
  }
}
