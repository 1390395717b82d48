import type { Operation } from "../history.js";
import type { Model } from "../model.js";
import { Outlook } from "./outlook.js";
import { Timeline } from "./timeline.js";
import { Transitions } from "./transitions.js";

/** What is known of an operation's effect; see `Model.effect`. */
const anyEffect = 0;
export const readsOnly = 1;
export const overwrites = 2;

const none = -1;

/**
 * The operations of one key, prepared for the searches, which look for one order that is possible.
 *
 * A search takes operations one after the other, each from the window of those that were called before the
 * next answer. An operation is *used* when it has been taken. It is *settled* when its answer may come: it
 * was used, or there is a place for it among those that were taken where it changes nothing:
 *
 * - the state in which one stands is the same after it, or
 * - it overwrites, and so does the next that is taken: it goes right before that one.
 *
 * All that can be settled is settled at once. Nothing is lost by it, for what is settled but not used may
 * still be used as long as its answer has not come; and what several are settled by can be had together, as
 * none of them changes what comes after. What is settled is *optional*, as is what has an unknown outcome: it
 * need not be used. Only what has an answer must be settled before the answer comes, and if it is not used by
 * then there are two ways on, to let the answer come, or to use first what is in the window.
 *
 * Four rules say what need not be tried.
 *
 * *As good*: where one configuration has the same answers behind it, the same state and the same settled ones
 * as another, and has used none that the other has not, only the one is gone on from (see `Visited`).
 * Whatever can follow the other can follow it. So it is no use to take what is settled and changes nothing,
 * either, unless it overwrites and thereby settles others.
 *
 * *Twins*: of two open operations that do the same, the one whose answer comes first is used first. Exchange
 * them in an order that has it the other way round, and it is possible still: both were open. (If the first
 * is settled and the other is not, the other must be settled when the first is used: both must overwrite.)
 *
 * *Unseen*: if w was used for no need of its own, being optional or one that overwrites, and since then
 * nothing was settled in the state that it made and nothing came into the window, and v leads to the same
 * state with w as without, then v need not come next. For v without w was tried, and is as good. (If w
 * overwrites, it has settled others that do; then v must overwrite, too, as it settles those and w.)
 *
 * *Hopeless*: in a register that no longer holds a value, an operation must still read it, and no write of it
 * is open or will be called before the answer. Nothing completes such a configuration.
 *
 * Proof that they may be used together: suppose that there is an order. Of all that complete a configuration
 * which the search has gone on from, take one with the fewest operations and answers. If it has none left,
 * the search has succeeded. Else its first leads to a configuration that the search has gone on from, or to
 * one that is as good, and is completed by a shorter order, which cannot be. Or it was passed over as a twin:
 * then the exchanged order, which is no longer, begins with one that was not. Or it was passed over as
 * unseen: then v leads from the configuration before w to one that the shorter order completes, and v was
 * tried there, or was unseen there in turn, which ends as the search has begun somewhere; nor can it have
 * been the twin of w there, as then it changes nothing after w. None of this can be, so the search succeeds.
 */
export class Part<State> {
  readonly timeline: Timeline;
  readonly transitions: Transitions<State>;
  readonly effects: Uint8Array;
  /** The one before it in the order of answers that does the same, or -1. */
  readonly twins: Int32Array;
  #outlook: Outlook | undefined;

  constructor(operations: readonly Operation[], model: Model<State>) {
    const telling = tellingOperations(operations, model);
    this.effects = new Uint8Array(telling.length);
    telling.forEach(({ effect }, index) => (this.effects[index] = effect));
    this.timeline = new Timeline(telling.map(({ operation }) => operation));
    this.transitions = new Transitions(model, this.timeline.operations);
    this.twins = twinsOf(this.timeline, this.transitions.kinds);
    this.#outlook = Outlook.of(model, this.timeline, this.transitions);
  }

  /** What tells that a configuration is hopeless, if the model allows it. */
  get outlook(): Outlook | undefined {
    return this.#outlook;
  }

  /** Lets searches go on where there is no hope. */
  forgetOutlook(): void {
    this.#outlook = undefined;
  }
}

/** Without those that failed, which did not happen, and reads without an answer, which say nothing. */
export function tellingOperations<State>(
  operations: readonly Operation[],
  model: Model<State>,
): { readonly operation: Operation; readonly effect: number }[] {
  return operations
    .filter(({ outcome }) => outcome !== "fail")
    .map((operation) => ({ operation, effect: effectOf(operation, model) }))
    .filter(({ operation, effect }) => operation.outcome === "ok" || effect !== readsOnly);
}

function effectOf<State>(operation: Operation, model: Model<State>): number {
  const effect = model.effect?.(operation);
  return effect === "reads" ? readsOnly : effect === "overwrites" ? overwrites : anyEffect;
}

function twinsOf({ operations, byReturn, rank }: Timeline, kinds: Int32Array): Int32Array {
  const twins = new Int32Array(operations.length).fill(none);
  const last = new Int32Array(operations.length).fill(none);
  const meet = (operation: number) => {
    const kind = kinds[operation]!;
    twins[operation] = last[kind]!;
    last[kind] = operation;
  };
  byReturn.forEach(meet);
  rank.forEach((answer, operation) => {
    if (answer === byReturn.length) meet(operation);
  });
  return twins;
}
