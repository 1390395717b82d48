import type { SeededRandom } from "lockstep/base";
import type { Way } from "./layout.js";
import { readsMoments, type Manner, type Mix } from "./promised.js";

/** What a block waits for before it goes on: nothing, a promise that is settled, a turn of the event loop. */
export type Pause = "none" | "settled" | "turn";

export type Action = "read" | "read for update" | "write";

export interface Access {
  readonly layout: number;
  readonly key: number;
  readonly action: Action;
  readonly isGuarded: boolean;
  readonly way: Way;
  readonly pause: Pause;
}

const shapes = {
  plain: 10,
  /** The block is not async. */
  "at once": 4,
  /** `atomicallySync`. */
  sync: 3,
  "read-only": 3,
  snapshot: 2,
  /** It throws in the end. */
  thrown: 2,
  nested: 2,
  /** What is nested throws, and the rest goes on. */
  "nested thrown": 2,
  /** `orElse` of one that has done something, and then retries, and another. */
  "or else": 2,
  /** The first attempt retries. */
  retried: 1,
};

export type Shape = keyof typeof shapes;

const urn = (Object.entries(shapes) as [Shape, number][]).flatMap(([shape, weight]) =>
  Array<Shape>(weight).fill(shape),
);

/** A transaction: its block does the same in each attempt. */
export interface Plan extends Manner {
  readonly shape: Shape;
  readonly accesses: readonly Access[];
  /** So many of them are done before what is nested. */
  readonly before: number;
}

/** The keys of each layout, of which the first are the hottest. */
export function randomPlan(random: SeededRandom, mix: Mix, keys: readonly number[]): Plan {
  const shape = urn[random.below(urn.length)]!;
  const readsOnly = shape === "read-only" || shape === "snapshot";
  const isAtOnce = shape === "at once" || shape === "sync";
  const accesses = Array.from({ length: 1 + random.below(5) }, (): Access => {
    const layout = random.below(keys.length);
    return {
      layout,
      key: random.below(keys[layout]!),
      action: readsOnly ? "read" : actions[random.below(actions.length)]!,
      // What reads no moment loses updates, save where it says so.
      isGuarded: !readsMoments(mix) || random.chance(0.3),
      way: random.below(24),
      pause: isAtOnce ? "none" : pauses[random.below(pauses.length)]!,
    };
  });
  const manner = mix.manners[random.below(mix.manners.length)]!;
  return { ...manner, shape, accesses, before: random.below(accesses.length + 1) };
}

const actions: readonly Action[] = [
  ...Array<Action>(4).fill("read"),
  "read for update",
  ...Array<Action>(5).fill("write"),
];
const pauses: readonly Pause[] = [
  ...Array<Pause>(7).fill("none"),
  ...Array<Pause>(7).fill("settled"),
  "turn",
];
