import type { Client, Outcome } from "../history.js";
import { toTagged } from "./tagged-value.js";

/** The line for a call, ended by a newline. Its id is the answer's, and no other open call's. */
export function callLine(
  id: Client,
  call: { readonly client: Client; readonly name: string; readonly args: readonly unknown[] },
  ms?: number,
): string {
  const { client, name, args } = call;
  return line({ id, client, event: "invoke", name, args: toTagged(args), ms });
}

/** The line for an answer, ended by a newline. */
export function answerLine(id: Client, outcome: Outcome, result?: unknown, ms?: number): string {
  // A result that is undefined is left out.
  return line({ id, event: outcome, result: result === undefined ? undefined : toTagged(result), ms });
}

function line(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
