import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import type { Operation } from "./history.js";
import type { Identity } from "./identity.js";
import type { Anomaly } from "./verdict.js";

/** What `step` gives when the object in this state could not have answered so. */
export const refused: unique symbol = Symbol("refused");

/**
 * What an object does, when it does one thing at a time.
 *
 * @example A counter:
 * ```ts
 * const counter: Model<number> = {
 *   name: "counter",
 *   init: 0,
 *   step: (count, { name, result }) => (name === "add" ? count + 1 : result === count ? count : refused),
 * };
 * ```
 */
export interface Model<State = unknown> {
  readonly name: string;
  /** The first state. States are never changed: each step gives another one. */
  readonly init: State;
  /**
   * The state after the operation, or `refused`. The operation's outcome is "ok" or "unknown"; if unknown,
   * any answer will do, and what is asked for is the state if it did take effect. It says the same whenever
   * it is asked, and goes by nothing but the state and the operation's client, name, arguments and answer.
   */
  step(state: State, operation: Operation): State | typeof refused;
  /** Whether two states are the same; by default if their contents are, which they must show then. */
  equal?(a: State, b: State): boolean;
  /** Operations that never touch the same thing are in different parts, which are judged one by one. */
  partition?(operation: Operation): unknown;
  /** The state as the search shows it to people. */
  show?(state: State): string;
  /** What tells states apart, where that is faster than by their contents. */
  stateIdentity?(state: State): Identity;
  /** What tells operations apart: those of one identity do the same to every state. By default, none do. */
  callIdentity?(operation: Operation): Identity;
  /**
   * What is known for sure of its effect: "reads" if it changes no state; "overwrites" if it is possible in
   * every state, and the state after it is always the same. The search is much faster for knowing.
   */
  effect?(operation: Operation): "reads" | "overwrites" | undefined;
  /**
   * What it read and wrote, if the object is a register for each key, whose state is the value that was
   * written last: the session levels need it, and the search is faster for knowing.
   */
  access?(operation: Operation): Access | undefined;
  /** Judges a part in a faster way than by searching; undefined if this part does not allow it. */
  shortcut?(part: readonly Operation[]): PartVerdict | undefined;
}

/** What an operation read and wrote of a key. */
export interface Access {
  readonly key: unknown;
  /** What it saw; absent if it did not look. `{ value }`, for it may have seen nothing. */
  readonly read?: { readonly value: unknown } | undefined;
  readonly write?: { readonly value: unknown } | undefined;
}

/** "valid", or what is wrong with the part. */
export type PartVerdict = "valid" | Anomaly;

/** Refuses what is no model, before anything is judged by it. */
export function checkModel<State>(model: Model<State>): Model<State> {
  const { name, step } = (model as Partial<Model<State>> | undefined) ?? {};
  if (typeof name === "string" && typeof step === "function") return model;
  throw new LockstepError(
    "bad-input",
    `a model is register(), say, or { name, init, step }, not ${shown(model)}`,
  );
}
