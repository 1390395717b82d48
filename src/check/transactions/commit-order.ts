import type { Budget } from "../budget.js";
import { clientText } from "../history.js";
import { reasonsOf, type Edge } from "../verdict.js";
import { stepsOf } from "./cycles.js";
import { addDataEdges, addSessionEdges, DependencyGraph, relations, type Step } from "./dependency-graph.js";
import { EventGraph } from "./event-graph.js";
import { evidenceOf } from "./evidence.js";
import { edgeOf, readOf } from "./explanations.js";
import type { Observations } from "./observations.js";
import type { Phenomenon } from "./phenomena.js";
import { SessionChains } from "./session-chains.js";
import { CycleSearch } from "./shortest-cycles.js";
import { shortestWay } from "./shortest-way.js";
import { strongComponents } from "./strong-components.js";

const { ww, wr, session, order } = relations;

/** What breaks each level by itself, without regard to what each client did before, and with it. */
const breaches = {
  "read-committed": { none: "G-monotonic", session: "G-monotonic-process" },
  "read-atomic": { none: "fractured read", session: "fractured read-process" },
  causal: { none: "causality violation", session: "causality violation" },
} as const satisfies Record<string, Record<string, Phenomenon>>;

export type CommitOrderLevel = keyof typeof breaches;

/** One transaction saw this version, though it knew of what the older one wrote to that key. */
interface Sight {
  readonly reader: number;
  readonly version: number;
  readonly older: number;
}

const mostClocks = 1 << 27;

/**
 * Whether there is one order of all commits that agrees with what was read and with each client's own order,
 * and in which, whenever a transaction read a version of a key, every other transaction known to it that
 * wrote the key stands before the writer of that version. Known to it are, for "read-committed", those
 * of whom it had read before; for "read-atomic", all of whom it read and those that its client did before;
 * for "causal", also those that were known to these, and so on.
 *
 * That is how Biswas and Enea define the levels (On the complexity of checking transactional consistency,
 * 2019). Who is known does not depend on the order, so what stands before what can be written down once,
 * and such an order exists if and only if that has no circle. Of those known in one session the last that
 * wrote the key will do: the others stand before it.
 */
export class CommitOrder {
  readonly #observations: Observations;
  readonly #chains: SessionChains;
  readonly #budget: Budget;
  readonly #timing: "none" | "session";
  #knownCausality: DependencyGraph | undefined;

  /** Without regard to sessions there is no clock for "causal": only the two others can be asked for. */
  constructor(observations: Observations, timing: "none" | "session", budget: Budget) {
    this.#observations = observations;
    this.#chains = new SessionChains(observations);
    this.#timing = timing;
    this.#budget = budget;
  }

  /** Adds to the findings; gives why it could not tell, if so. */
  check(level: CommitOrderLevel): string | undefined {
    const observations = this.#observations;
    const graph = new DependencyGraph(observations.operations.length);
    addDataEdges(graph, observations);
    if (this.#timing === "session") addSessionEdges(graph, observations);
    const sights: Sight[] = [];
    const unseen: Sight[] = [];
    const see = (reader: number, version: number, older: number) => {
      const writer = observations.writerOf(version);
      if (older === writer || older === reader) return;
      if (writer < 0) unseen.push({ reader, version, older });
      else graph.add(older, writer, order, sights.push({ reader, version, older }) - 1);
    };
    if (level === "read-committed") this.#seeCommitted(see);
    if (level === "read-atomic") this.#seeAtomic(see);
    if (level === "causal" && !this.#seeCausal(see)) {
      return "there are too many sessions to keep a clock for each in memory";
    }
    graph.seal();
    if (unseen.length > 0) this.#addUnseen(level, unseen[0]!);
    else this.#findCycle(level, graph, sights);
    return undefined;
  }

  #seeCommitted(see: (reader: number, version: number, older: number) => void): void {
    const { firstRead, readVersion, operations } = this.#observations;
    for (let reader = 0; reader < operations.length; reader++) {
      const known = new Set<number>();
      for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
        this.#seeKnown(reader, readVersion[at]!, known, see);
        const writer = this.#observations.writerOf(readVersion[at]!);
        if (writer >= 0) known.add(writer);
      }
    }
  }

  #seeAtomic(see: (reader: number, version: number, older: number) => void): void {
    const { firstRead, readVersion, operations, tookPlace } = this.#observations;
    for (let reader = 0; reader < operations.length; reader++) {
      if (tookPlace[reader] === 0) continue;
      const known = new Set<number>();
      for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
        const writer = this.#observations.writerOf(readVersion[at]!);
        if (writer >= 0) known.add(writer);
      }
      for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
        const version = readVersion[at]!;
        this.#seeKnown(reader, version, known, see);
        for (const last of this.#timing === "session" ? this.#chains.before(reader) : []) {
          const { chainOf, placeOf } = this.#chains;
          const key = this.#observations.keyOfVersion(version);
          const older = this.#chains.lastWriter(key, chainOf[last]!, placeOf[last]!);
          if (older >= 0) see(reader, version, older);
        }
      }
    }
  }

  #seeKnown(
    reader: number,
    version: number,
    known: ReadonlySet<number>,
    see: (reader: number, version: number, older: number) => void,
  ): void {
    const key = this.#observations.keyOfVersion(version);
    for (const older of known) {
      if (this.#observations.installedBy(older, key) >= 0) see(reader, version, older);
    }
  }

  /** False if there are too many sessions. */
  #seeCausal(see: (reader: number, version: number, older: number) => void): boolean {
    const { firstRead, readVersion, operations } = this.#observations;
    const { members, chainOf, placeOf } = this.#chains;
    const sessions = members.length;
    if (operations.length * sessions > mostClocks) return false;
    const sorted = new EventGraph(this.#causality, false).sorted(this.#observations);
    // A circle of knowledge is G1c-process, which is found elsewhere.
    if (sorted === undefined) return true;
    // By transactions and chains: the place of the last of the chain that is known.
    const clocks = new Int32Array(operations.length * sessions).fill(-1);
    const learn = (reader: number, from: number) => {
      const own = reader * sessions;
      const others = from * sessions;
      for (let chain = 0; chain < sessions; chain++) {
        if (clocks[others + chain]! > clocks[own + chain]!) clocks[own + chain] = clocks[others + chain]!;
      }
      const place = own + chainOf[from]!;
      if (placeOf[from]! > clocks[place]!) clocks[place] = placeOf[from]!;
    };
    for (const reader of sorted) {
      for (const last of this.#chains.before(reader)) learn(reader, last);
      for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
        const writer = this.#observations.writerOf(readVersion[at]!);
        if (writer >= 0) learn(reader, writer);
      }
      for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
        const key = this.#observations.keyOfVersion(readVersion[at]!);
        for (const chain of this.#chains.chainsWriting(key)) {
          const older = this.#chains.lastWriter(key, chain, clocks[reader * sessions + chain]!);
          if (older < 0) continue;
          // What the writer itself knew stands before it anyway.
          const writer = this.#observations.writerOf(readVersion[at]!);
          const isKnown = writer >= 0 && clocks[writer * sessions + chain]! >= placeOf[older]!;
          if (!isKnown) see(reader, readVersion[at]!, older);
        }
      }
    }
    return true;
  }

  get #causality(): DependencyGraph {
    if (this.#knownCausality) return this.#knownCausality;
    const graph = new DependencyGraph(this.#observations.operations.length);
    addDataEdges(graph, this.#observations, wr);
    addSessionEdges(graph, this.#observations);
    return (this.#knownCausality = graph.seal());
  }

  /** It saw the initial version, which is older than all. */
  #addUnseen(level: CommitOrderLevel, sight: Sight): void {
    const observations = this.#observations;
    const { operations, keys, findings } = observations;
    const { reader, version, older } = sight;
    const key = observations.keyOfVersion(version);
    const missed = observations.installedBy(older, key);
    const { over, because } = this.#knowledge(level, sight);
    const known: Edge = { from: operations[older]!, to: operations[reader]!, relation: "known", because };
    const step = { from: reader, to: older, relation: relations.rw, version: missed };
    const cycle = [known, edgeOf(observations, step)];
    findings.add(breaches[level][this.#timing], {
      explanation: `${cycle[1]!.because}, though ${because}.`,
      operations: [...over, older, reader].map((each) => operations[each]!),
      key: keys[key],
      cycle,
    });
  }

  #findCycle(level: CommitOrderLevel, graph: DependencyGraph, sights: readonly Sight[]): void {
    const all = ww | wr | session | order;
    const component = strongComponents(graph, all);
    const { findings } = this.#observations;
    const search = new CycleSearch(graph, component, this.#budget);
    search.run(
      { through: order, all },
      new Set(["G0", "G1c"]),
      (cycle) =>
        findings.add(breaches[level][this.#timing], this.#anomaly(level, stepsOf(graph, cycle), sights)),
      () => findings.has(breaches[level][this.#timing]),
    );
  }

  #anomaly(level: CommitOrderLevel, steps: readonly Step[], sights: readonly Sight[]) {
    const observations = this.#observations;
    const { operations } = observations;
    const members = steps.map(({ from }) => from);
    const others: number[] = [];
    const cycle = steps.map((step): Edge => {
      if (step.relation !== order) {
        const evidence = evidenceOf(observations, step, members);
        others.push(...evidence.witnesses);
        return edgeOf(observations, step, evidence);
      }
      const sight = sights[step.version]!;
      const { over, because } = this.#knowledge(level, sight);
      others.push(sight.reader, ...over);
      const saw = `${this.#nameOf(sight.reader)}'s ${readOf(observations, sight.reader, sight.version)}`;
      return {
        from: operations[sight.older]!,
        to: operations[step.to]!,
        relation: "ww",
        because: `${saw} saw what ${this.#nameOf(step.to)} wrote, though ${because}: so that came first`,
      };
    });
    return {
      explanation: `No order of commits agrees with what was seen: ${reasonsOf(cycle)}.`,
      operations: [...members, ...others].map((each) => operations[each]!),
      cycle,
    };
  }

  /** How the reader knew of the older one, and over whom. */
  #knowledge(level: CommitOrderLevel, { reader, older }: Sight): { over: number[]; because: string } {
    const known = `${this.#nameOf(older)}'s transaction`;
    if (level === "read-committed") return { over: [], because: `it had read from ${known} before` };
    if (level === "read-atomic") {
      return { over: [], because: `it read from ${known}, or is of one client with it` };
    }
    const way = shortestWay(this.#causality, older, reader);
    const reasons = reasonsOf(way.map((step) => edgeOf(this.#observations, step)));
    return { over: way.map(({ from }) => from), because: `it knew of ${known} (${reasons})` };
  }

  #nameOf(transaction: number): string {
    return clientText(this.#observations.operations[transaction]!.client);
  }
}
