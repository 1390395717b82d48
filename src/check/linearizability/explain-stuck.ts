import { describeBy, valueText, type Operation } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import type { Model } from "../model.js";
import type { Anomaly } from "../verdict.js";
import type { DepthFirst } from "./depth-first.js";
import { overwrites, type Part } from "./part.js";
import { impossible } from "./transitions.js";

/** What is wrong with a part that no order explains, told by the order that went furthest. */
export function explainStuck<State>(
  part: Part<State>,
  model: Model<State>,
  search: DepthFirst<State>,
): Anomaly {
  const { operations, byReturn, calledBefore, rank } = part.timeline;
  const { order, states } = orderOf(part, search.best);
  const answers = search.furthest;
  const last = states.at(-1)!;
  const state = showState(model, part.transitions.state(last));
  const ordered = new Set(order);
  const urgent = byReturn[answers]!;
  const stuck: { operation: Operation; because: string }[] = [];
  for (let open = 0; open < calledBefore[answers]!; open++) {
    if (ordered.has(open) || rank[open]! < answers) continue;
    const after = part.transitions.step(last, open);
    if (after === last) continue;
    const because =
      after === impossible
        ? `it is not possible when the state is ${state}`
        : `it could be next, but then ${describeBy(operations[urgent]!)} finds no place either`;
    stuck.push({ operation: operations[open]!, because });
  }
  const changed = order[states.findLastIndex((each) => each !== last)];
  const telling = new Set(stuck.map(({ operation }) => operation));
  if (changed !== undefined) telling.add(operations[changed]!);
  const cannot = part.transitions.step(last, urgent) === impossible ? "cannot come next" : "finds no place";
  return {
    name: "not linearizable",
    explanation:
      `No order of these operations is possible. The longest that was found has ${order.length} of ` +
      `${operations.length}; after it the state is ${state}, so ${describeBy(operations[urgent]!)} ` +
      `${cannot}, though it must come before its answer does.`,
    operations: inCallOrder(telling),
    attempt: { order: order.map((each) => operations[each]!), state, stuck },
  };
}

/**
 * The order that a log stands for: what was settled and not used is put where it changes nothing; see `Part`.
 * Of the states, the first stands before the first operation, and each of the others after one.
 */
function orderOf<State>({ transitions, effects }: Part<State>, log: Int32Array) {
  const order: number[] = [];
  const states = [0];
  for (const entry of log) {
    if (entry >= 0) {
      states.push(transitions.step(states.at(-1)!, entry));
      order.push(entry);
      continue;
    }
    const operation = ~entry;
    let place = order.length;
    while (!hasPlaceAt(place)) place--;
    const after = transitions.step(states[place]!, operation);
    order.splice(place, 0, operation);
    states.splice(place + 1, 0, after);

    function hasPlaceAt(index: number): boolean {
      if (transitions.step(states[index]!, operation) === states[index]) return true;
      const next = order[index];
      return next !== undefined && effects[operation] === overwrites && effects[next] === overwrites;
    }
  }
  return { order, states };
}

function showState<State>(model: Model<State>, state: State): string {
  return model.show ? model.show(state) : valueText(state);
}
