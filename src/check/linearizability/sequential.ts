import type { Budget } from "../budget.js";
import { describeBy, valueText, type Client, type History } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import type { Model } from "../model.js";
import type { Anomaly, Attempt, Unknown, Verdict } from "../verdict.js";
import { keyParts, type KeyPart } from "./key-parts.js";
import { linearizable } from "./linearizable.js";
import { SequentialSearch } from "./sequential-search.js";
import { impossible } from "./transitions.js";

const level = "sequential";
/** So much effort between two looks at the clock. */
const effortAtOnce = 10_000;

/**
 * Whether there is one order of all operations that is possible for the object and agrees with each client's
 * own. What is linearizable is sequential, too; and that is soon found out where it is so.
 *
 * The promise is not local: each key can keep it while all together do not, as the orders that the keys need
 * may contradict each other. But what breaks it for one key breaks it for all, so each is judged alone first,
 * which is much less to search; and keys that have no client in common cannot contradict each other, so only
 * those are searched together that have, be it through other keys.
 */
export function sequential<State>(history: History, model: Model<State>, budget: Budget): Verdict {
  const of = history.operations.length;
  const isLinearizable = linearizable(history, model, budget, 2).is === "valid";
  if (isLinearizable) return { is: "valid", level };
  const parts = keyParts(history.operations, model).filter(({ operations }) => operations.length > 0);
  const groups = groupsOf(parts).filter((group) => group.length > 1);
  let checked = 0;
  for (const group of [...parts.map((part) => [part]), ...groups]) {
    const search = new SequentialSearch(group, model);
    let isOrdered: boolean | undefined;
    while (isOrdered === undefined) {
      const { isFull } = search;
      if (budget.isSpent || isFull) return undecided(isFull, budget, checked + search.furthest, of);
      isOrdered = search.run(effortAtOnce);
    }
    if (!isOrdered) return { is: "violation", level, anomalies: [anomalyOf(group, search, model)] };
    if (group.length === 1) checked += search.operations.length;
  }
  return { is: "valid", level };
}

function undecided(isFull: boolean, { timeoutMs }: Budget, checked: number, of: number): Unknown {
  const reason = isFull
    ? "there are more possible orders than fit into memory: record a shorter history, or fewer clients"
    : `${timeoutMs} ms were not enough: give it more, or a shorter history`;
  return { is: "unknown", level, reason, checked: Math.min(checked, of), of };
}

/** Parts in one group have clients in common, or each with others of the group. */
function groupsOf(parts: readonly KeyPart[]): KeyPart[][] {
  const leaders = new Map<Client, Client>();
  const leaderOf = (client: Client): Client => {
    let leader = client;
    for (let next = leaders.get(leader); next !== undefined; next = leaders.get(leader)) leader = next;
    return leader;
  };
  for (const { operations } of parts) {
    const first = leaderOf(operations[0]!.client);
    for (const { client } of operations) {
      const leader = leaderOf(client);
      if (leader !== first) leaders.set(leader, first);
    }
  }
  const groups = new Map<Client, KeyPart[]>();
  for (const part of parts) {
    const leader = leaderOf(part.operations[0]!.client);
    const group = groups.get(leader);
    if (group) group.push(part);
    else groups.set(leader, [part]);
  }
  return [...groups.values()];
}

function anomalyOf<State>(
  parts: readonly KeyPart[],
  search: SequentialSearch<State>,
  model: Model<State>,
): Anomaly {
  const { operations, best, transitions } = search;
  const show = (state: number) => {
    const value = transitions.state(state);
    return model.show ? model.show(value) : valueText(value);
  };
  const next = [...search.next(search.bestNow)];
  const stuck: Attempt["stuck"] = next.map(({ place, state, after }) => ({
    operation: operations[place]!,
    because:
      after === impossible
        ? `it is not possible when the state is ${show(state)}`
        : "it could be next, but from there on every order comes to an end, too",
  }));
  const states = [...new Set(next.map(({ state }) => show(state)))].join("; ");
  const [{ key } = { key: undefined }, ...others] = parts;
  return {
    name: "not sequential",
    explanation:
      `No one order of these operations is possible that agrees with each client's own. The longest that ` +
      `was found has ${best.length} of ${operations.length}. One of these would have to be next: ` +
      `${stuck.map(({ operation }) => describeBy(operation)).join(", ")}; and none can be.`,
    operations: inCallOrder(stuck.map(({ operation }) => operation)),
    attempt: { order: best.map((place) => operations[place]!), state: states, stuck },
    ...(key === undefined || others.length > 0 ? {} : { key }),
  };
}
