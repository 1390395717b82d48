import type { Operation } from "../history.js";

/**
 * "valid" if the grants of a fenced mutex can stand in the order of their tokens, each followed by its
 * release. No other order is possible, for tokens rise; so nothing needs to be searched, however many wait
 * at once. Undefined where that does not decide: it is for the search to say what is wrong, or what an
 * unknown outcome may have been.
 */
export function tokenOrder(part: readonly Operation[]): "valid" | undefined {
  const turns = turnsOf(part);
  if (turns === undefined) return undefined;
  turns.sort((a, b) => (a.token < b.token ? -1 : 1));
  // In that order, no operation may be over before one that stands ahead of it began.
  let latest = -1;
  for (let index = 0; index < turns.length; index++) {
    const { token, acquire, release } = turns[index]!;
    if (index > 0 && !(token > turns[index - 1]!.token)) return undefined;
    if (release === undefined && index < turns.length - 1) return undefined;
    for (const operation of release ? [acquire, release] : [acquire]) {
      if (operation.returned < latest) return undefined;
      latest = Math.max(latest, operation.invoked);
    }
  }
  return "valid";
}

interface Turn {
  readonly token: number | bigint;
  readonly acquire: Operation;
  release: Operation | undefined;
}

/** Undefined unless each client did one thing after the other, and it is known how each of them ended. */
function turnsOf(part: readonly Operation[]): Turn[] | undefined {
  const turns: Turn[] = [];
  const last = new Map<unknown, { readonly turn: Turn; readonly returned: number }>();
  for (const operation of part) {
    const { name, client, outcome, result, invoked, returned } = operation;
    const before = last.get(client);
    if (outcome !== "ok" || (before && before.returned > invoked)) return undefined;
    const isOver = before === undefined || before.turn.release !== undefined;
    if (name === "acquire") {
      if (!isOver || (typeof result !== "bigint" && typeof result !== "number")) return undefined;
      const turn: Turn = { token: result, acquire: operation, release: undefined };
      turns.push(turn);
      last.set(client, { turn, returned });
    } else {
      if (isOver) return undefined;
      before.turn.release = operation;
      last.set(client, { turn: before.turn, returned });
    }
  }
  return turns;
}
