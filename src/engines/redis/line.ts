import type { Applied } from "../../base/errors.js";
import { refused, type Connection } from "./connection.js";
import type { Answer } from "./replies.js";
import type { Argument } from "./requests.js";
import { commitScript } from "./script.js";

/**
 * As much goes in one run of the script, unless a single change is longer: for nobody else is served
 * meanwhile, and while one runs, the answers of another are read here.
 */
const mostBytes = 16 * 1024;
/** What an argument takes besides itself. */
const argumentBytes = 16;

interface Waiting {
  readonly args: readonly Argument[];
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
  readonly #channel: string;
  readonly #onWait: (waitMs: number | null) => void;
  #waiting: Waiting[] = [];

  /** Every answer says to `onWait` when a session may be due. */
  constructor(connection: Connection, channel: string, onWait: (waitMs: number | null) => void) {
    this.#connection = connection;
    this.#channel = channel;
    this.#onWait = onWait;
  }

  ask(args: readonly Argument[], ifLost: Applied): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ args, ifLost, resolve, reject });
      if (count === 1) process.nextTick(this.depart);
    });
  }

  /** Sends what waits for the end of this turn. */
  readonly depart = (): void => {
    const all = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < all.length;) {
      const together = all.slice(from, from + countOf(all, from));
      from += together.length;
      void this.#send(together);
    }
  };

  async #send(together: readonly Waiting[]): Promise<void> {
    try {
      const args = together.flatMap((each) => each.args);
      const reply = await this.#connection.run(commitScript, [this.#channel, ...args]);
      this.#onWait(reply[0]);
      for (let i = 0; i < together.length; i++) {
        const answer = reply[i + 1] as Answer;
        const [verdict] = answer;
        if (typeof verdict === "number") together[i]!.resolve(answer);
        else together[i]!.reject(refused(verdict.toString()));
      }
    } catch (cause) {
      // Nobody knows how far it came, unless the server says that it did nothing.
      for (const { ifLost, reject } of together) reject(this.#connection.failure(cause, ifLost));
    }
  }
}

/** How many from there on go together. */
function countOf(waiting: readonly Waiting[], from: number): number {
  let bytes = 0;
  let to = from;
  for (; to < waiting.length; to++) {
    for (const argument of waiting[to]!.args) bytes += argument.length + argumentBytes;
    if (to > from && bytes > mostBytes) break;
  }
  return to - from;
}
