import type { Operation } from "../history.js";

/** What an operation on one element of a set did, or saw. */
export type Deed = "adds" | "removes" | "finds" | "misses" | "nothing";

/**
 * An add that answers that it changed nothing has found the element, and such a remove has missed it.
 * Undefined if it is about more than an element, or answered what no set answers.
 */
export function deedOf({ name, outcome, result }: Operation): Deed | undefined {
  if (outcome === "fail") return "nothing";
  if (name === "add") return result === false ? "finds" : "adds";
  if (name === "remove") return result === false ? "misses" : "removes";
  if (name !== "contains") return undefined;
  if (outcome === "unknown") return "nothing";
  if (typeof result !== "boolean") return undefined;
  return result ? "finds" : "misses";
}
