import { clientText, valueText, type Operation } from "../history.js";
import { isSame } from "../identity.js";
import { operationText } from "../operation-text.js";
import { reasonsOf, type Anomaly, type Attempt, type Edge } from "../verdict.js";
import { relations, type Step } from "./dependency-graph.js";
import { evidenceOf, olderOf } from "./evidence.js";
import { shownMicroOperation } from "./micro-operations.js";
import type { Observations } from "./observations.js";
import type { Phenomenon } from "./phenomena.js";

const { wr, rw, session } = relations;

const meanings: readonly (readonly [beginning: string, meaning: string])[] = [
  ["G0", "Transactions wrote over each other's writes, each before and after the other"],
  ["G1c", "Information went in a circle, so that each comes after itself"],
  ["lost update", "Both read the same version and wrote the next one, each without the other's"],
  ["G-single", "A transaction did not see a write that came before it"],
  ["long fork", "Two readers saw two writes in different orders"],
  ["G-nonadjacent", "Some saw one write and not another, others the other way round"],
  ["G2-item", "Transactions missed each other's writes, in a circle"],
];

/** The cycle for people. */
export function anomalyOf(
  observations: Observations,
  phenomenon: Phenomenon,
  steps: readonly Step[],
): Omit<Anomaly, "name"> {
  const members = steps.map(({ from }) => from);
  const evidence = steps.map((step) => evidenceOf(observations, step, members));
  const cycle = steps.map((step, at) => edgeOf(observations, step, evidence[at]));
  const all = [...members, ...evidence.flatMap(({ witnesses }) => witnesses)];
  const [, meaning = ""] = meanings.find(([beginning]) => phenomenon.startsWith(beginning)) ?? [];
  const isSkew = phenomenon === "G2-item" && steps.length === 2;
  return {
    explanation: `${meaning}${isSkew ? " (write skew)" : ""}: ${reasonsOf(cycle)}.`,
    operations: all.map((each) => observations.operations[each]!),
    cycle,
  };
}

/** The edge for people. */
export function edgeOf(
  observations: Observations,
  step: Step,
  evidence = evidenceOf(observations, step, [step.from, step.to]),
): Edge {
  const from = observations.operations[step.from]!;
  const to = observations.operations[step.to]!;
  const because = `${becauseOf(observations, step)}${evidence.text}`;
  return { from, to, relation: relationName(step.relation), because };
}

const longest = 40;

function relationName(relation: number): string {
  const names = Object.entries(relations).find(([, bit]) => bit === relation);
  return names![0];
}

function becauseOf(observations: Observations, step: Step): string {
  const { from, to, relation, version } = step;
  const { operations, keys, versionValue } = observations;
  const [first, second] = [operations[from]!, operations[to]!].map(({ client }) => clientText(client));
  if (relation === session)
    return `${first} did ${shortText(operations[from]!)} before ${shortText(operations[to]!)}`;
  if (version < 0) {
    const [over, begun] = [shortText(operations[from]!), shortText(operations[to]!)];
    return `${first}'s ${over} was over before ${second}'s ${begun} began`;
  }
  const value = valueText(versionValue[version]);
  const wrote = observations.workload === "list-append" ? "appended" : "wrote";
  if (relation === wr)
    return `${second}'s ${readOf(observations, to, version)} saw ${value}, which ${first} ${wrote}`;
  if (relation === rw)
    return `${first}'s ${readOf(observations, from, version)} did not see ${value}, which ${second} ${wrote}`;
  const before = valueText(versionValue[olderOf(observations, step)]);
  const key = valueText(keys[observations.keyOfVersion(version)]);
  return `to ${key} ${first} appended ${before}, and then ${second} ${value}`;
}

/** What a sentence has room for. */
function shortText(operation: Operation): string {
  const text = operationText(operation);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** How the transaction read the key of this version: where it saw it, if it did. */
export function readOf(observations: Observations, reader: number, version: number): string {
  const key = observations.keyOfVersion(version);
  const value = observations.versionValue[version];
  const reads = observations.micro[reader]!.filter(
    ([action, each]) => action === "r" && observations.keyNumber(each) === key,
  );
  const saw = reads.find(([, , read]) => isSame(Array.isArray(read) ? read.at(-1) : read, value));
  return shownMicroOperation((saw ?? reads[0])!);
}

const mostStuck = 5;

/** How far the transactions could be put in one order, by what each of the others is held up. */
export function attemptOf(observations: Observations, longest: readonly number[]): Attempt {
  const { operations, tookPlace, keys, versionValue, firstVersion, versionKey } = observations;
  const current = new Map<number, number>();
  for (const transaction of longest) {
    for (let version = firstVersion[transaction]!; version < firstVersion[transaction + 1]!; version++) {
      current.set(versionKey[version]!, version);
    }
  }
  const valueOf = (key: number) => valueText(versionValue[current.get(key) ?? -1] ?? null);
  const placed = new Set(longest);
  const stuck: { operation: Operation; because: string }[] = [];
  for (let transaction = 0; transaction < operations.length && stuck.length < mostStuck; transaction++) {
    if (placed.has(transaction) || tookPlace[transaction] === 0) continue;
    const { firstRead, readVersion } = observations;
    const read = readVersion
      .slice(firstRead[transaction], firstRead[transaction + 1])
      .find((version) => (current.get(observations.keyOfVersion(version)) ?? version) !== version);
    const because =
      read === undefined
        ? "it would write over what others are yet to read, or go before what it must follow"
        : `${readOf(observations, transaction, read)}, where by then there was ` +
          valueOf(observations.keyOfVersion(read));
    stuck.push({ operation: operations[transaction]!, because });
  }
  const state = [...current.keys()].map((key) => `${valueText(keys[key])}: ${valueOf(key)}`);
  return { order: longest.map((transaction) => operations[transaction]!), state: state.join(", "), stuck };
}
