import type { Operation } from "lockstep/check";

/** What an object is after an operation that was answered so; undefined if it cannot be. */
export type Step = (state: readonly unknown[], operation: Operation) => readonly unknown[] | undefined;

/** Tries all orders, of at most thirty operations: slow, and too simple to be wrong. */
export function isLinearizable(operations: readonly Operation[], step: Step): boolean {
  const happened = operations.filter(({ outcome }) => outcome !== "fail");
  const finished = happened.reduce(
    (mask, { outcome }, place) => mask | (outcome === "ok" ? 1 << place : 0),
    0,
  );
  const seen = new Set<string>();
  const search = (done: number, state: readonly unknown[]): boolean => {
    if ((done & finished) === finished) return true;
    const key = `${done} ${JSON.stringify(state)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    const isOpen = (place: number) => (done & (1 << place)) === 0;
    return happened.some((operation, place) => {
      if (!isOpen(place)) return false;
      const mustWait = happened.some((other, at) => isOpen(at) && other.returned < operation.invoked);
      if (mustWait) return false;
      const next = step(state, operation);
      return next !== undefined && search(done | (1 << place), next);
    });
  };
  return search(0, []);
}

/** The steps of the objects that have shortcuts. The state of a register is a list of one, or of none. */
export const steps: Readonly<Record<"register" | "queue" | "stack" | "set", Step>> = {
  register: (state, { name, args, result, outcome }) =>
    name === "write" ? [args[0]] : given(outcome, state[0] ?? null, result, state),
  queue: (state, { name, args, result, outcome }) =>
    name === "enqueue" ? [...state, args[0]] : given(outcome, state[0] ?? null, result, state.slice(1)),
  stack: (state, { name, args, result, outcome }) =>
    name === "push" ? [...state, args[0]] : given(outcome, state.at(-1) ?? null, result, state.slice(0, -1)),
  set(state, { name, args, result, outcome }) {
    if (name === "read") return given(outcome, String(state), String(result), state);
    const has = state.includes(args[0]);
    if (name === "contains") return given(outcome, has, result, state);
    const changes = has === (name === "remove");
    if (result !== undefined && result !== changes) return undefined;
    if (!changes) return state;
    return name === "add" ? [...state, args[0]].sort() : state.filter((each) => each !== args[0]);
  },
};

function given(
  outcome: string,
  answer: unknown,
  result: unknown,
  next: readonly unknown[],
): readonly unknown[] | undefined {
  return outcome === "unknown" || answer === result ? next : undefined;
}
