import { clientText } from "../history.js";
import { relations, type Step } from "./dependency-graph.js";
import { shownMicroOperation, type MicroOperation } from "./micro-operations.js";
import type { Observations } from "./observations.js";

/** Who shows that a step is so, besides the two that it goes between, and how, as a sentence goes on. */
export interface Evidence {
  readonly witnesses: readonly number[];
  readonly text: string;
}

const nothing: Evidence = { witnesses: [], text: "" };
const few = 8;

/** What the step rests on; a witness among the members is as good as any, and better, if they are few. */
export function evidenceOf(observations: Observations, step: Step, members: readonly number[]): Evidence {
  const isList = observations.workload === "list-append";
  if (step.relation === relations.ww) return listEvidence(observations, step, members);
  // Of a list that was read one sees what is not in it yet.
  return step.relation === relations.rw && !isList ? registerEvidence(observations, step) : nothing;
}

/** The older version of a ww step. */
export function olderOf(observations: Observations, { from, version }: Step): number {
  const { older, newer } = observations;
  const isIt = (each: number, at: number) => each === version && observations.writerOf(older[at]!) === from;
  return older[newer.findIndex(isIt)]!;
}

/** A list that holds both, or only the older. */
function listEvidence(observations: Observations, step: Step, members: readonly number[]): Evidence {
  const older = olderOf(observations, step);
  const key = observations.keyOfVersion(step.version);
  const shows = (each: MicroOperation) =>
    each[0] === "r" &&
    observations.keyNumber(each[1]) === key &&
    versionsSeen(observations, each).includes(older);
  const isShown = (member: number) =>
    observations.operations[member]!.outcome === "ok" && observations.micro[member]!.some(shows);
  const ofMembers = members.length > few ? undefined : members.find(isShown);
  const witness = ofMembers ?? observations.longestReader[key]!;
  const read = observations.micro[witness]!.findLast(shows)!;
  const versions = versionsSeen(observations, read);
  const name = clientText(observations.operations[witness]!.client);
  const isBoth = versions.includes(step.version);
  const end = isBoth ? versions.indexOf(step.version) : versions.indexOf(older);
  const shown = `${name}'s ${shownMicroOperation(excerpt(read, versions.indexOf(older), end))}`;
  const text = isBoth ? `, as ${shown} shows` : `, which ${shown} does not hold yet`;
  return { witnesses: [witness], text };
}

/** What stands at these places, if there is much before or after it. */
function excerpt([action, key, value]: MicroOperation, begin: number, end: number): MicroOperation {
  const list = value as readonly unknown[];
  if (list.length <= few) return [action, key, list];
  const before = begin > 0 ? ["…"] : [];
  const after = end < list.length - 1 ? ["…"] : [];
  return [action, key, [...before, ...list.slice(begin, end + 1), ...after]];
}

/** Who read from two sees which of their versions is the newer one. */
function registerEvidence(observations: Observations, { from, to, version }: Step): Evidence {
  const { operations } = observations;
  const key = observations.keyOfVersion(version);
  const read = observations.readsOf(from).find((each) => observations.keyOfVersion(each) === key)!;
  const writer = observations.writerOf(read);
  if (writer < 0 || observations.readsOf(to).includes(read)) return nothing;
  for (let witness = 0; witness < operations.length; witness++) {
    const reads = observations.readsOf(witness);
    if (!reads.includes(version) || !reads.some((each) => observations.writerOf(each) === writer)) continue;
    const [shower, former] = [witness, writer].map((each) => clientText(operations[each]!.client));
    const text = `; that is newer than what ${former} wrote, as ${shower} saw it, who saw both`;
    return { witnesses: [witness, writer], text };
  }
  return nothing;
}

function versionsSeen(observations: Observations, [action, key, value]: MicroOperation): number[] {
  if (action !== "r") return [];
  const values = observations.workload === "list-append" ? ((value ?? []) as readonly unknown[]) : [value];
  const number = observations.keyNumber(key);
  return values.map((each) => observations.versionOf(number, each) ?? -1);
}
