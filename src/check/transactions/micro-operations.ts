import { LockstepError } from "../../base/errors.js";
import { describe, type History, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import type { Workload } from "./workload.js";

/** `["append", key, value]`, `["w", key, value]` or `["r", key, what was read]`. */
export type MicroOperation = readonly [action: string, key: unknown, value?: unknown];

/** What each workload calls its write. */
const writeActions: Record<Workload, string> = { "list-append": "append", "rw-register": "w" };

/**
 * What each transaction of the history did: as it was answered, if it was, for then reads say what they saw;
 * else as it was called. Refuses what is no transaction of this workload.
 */
export function microOperationsOf(
  { operations, lines }: History,
  workload: Workload,
): (readonly MicroOperation[])[] {
  const write = writeActions[workload];
  return operations.map((operation) => {
    const { name, args, result, outcome, invoked } = operation;
    const called = args[0];
    const done = outcome === "ok" ? result : called;
    if (name !== "txn" || !areMicroOperations(done, write) || !isAnswerTo(called, done)) {
      const line = lines === undefined ? "" : `line ${lines[invoked]}: `;
      throw new LockstepError(
        "bad-input",
        `${line}a ${workload} transaction is txn([["${write}", key, value], ["r", key], …]), and its ` +
          `answer is the same list with what was read, ["r", key, value]; not ${describe(operation)}`,
      );
    }
    return done;
  });
}

/** Whether the answer is what was called, but for what was read. */
export function isAnswerTo(called: unknown, done: readonly MicroOperation[]): boolean {
  if (called === done) return true;
  if (!Array.isArray(called) || called.length !== done.length) return false;
  for (let place = 0; place < done.length; place++) {
    const [action, key, value] = done[place]!;
    const asked: unknown = called[place];
    if (!Array.isArray(asked) || asked[0] !== action || !isSame(asked[1], key)) return false;
    if (action !== "r" && !isSame(asked[2], value)) return false;
  }
  return true;
}

function areMicroOperations(list: unknown, write: string): list is readonly MicroOperation[] {
  if (!Array.isArray(list)) return false;
  for (const micro of list) {
    if (!Array.isArray(micro)) return false;
    if (micro[0] === "r" ? micro.length < 2 : micro[0] !== write || micro.length < 3) return false;
    if (write === "append" && micro[0] === "r" && !Array.isArray(micro[2] ?? [])) return false;
  }
  return true;
}

/** The micro-operation as people read it: `r("x") → [1,2]`, `append("x", 3)`. Of a long list, the end. */
export function shownMicroOperation([action, key, value]: MicroOperation): string {
  const isRead = action === "r";
  const shown: Operation = {
    client: "",
    name: action,
    args: isRead ? [key] : [key, value],
    result: isRead ? shortened(value ?? null) : undefined,
    outcome: "ok",
    invoked: 0,
    returned: 1,
  };
  return describe(shown);
}

function shortened(value: unknown): unknown {
  const most = 8;
  return Array.isArray(value) && value.length > most ? ["…", ...(value as unknown[]).slice(-most)] : value;
}
