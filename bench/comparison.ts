import { median, medianRatio } from "./alternate.js";
import type { Round } from "./apart.js";
import type { Target } from "./report.js";

const ours = "lockstep";

/** What was measured of Lockstep and its peers, by subject and round, and how they compare. */
export class Comparison {
  readonly #results: ReadonlyMap<string, readonly Round[]>;
  readonly #costs: readonly string[];

  /** Of `costs`, less is better; of all else, more. */
  constructor(results: ReadonlyMap<string, readonly Round[]>, costs: readonly string[] = []) {
    this.#results = results;
    this.#costs = costs;
  }

  get subjects(): string[] {
    return [...this.#results.keys()];
  }

  /** The subject's figures, or undefined if its package has no such thing. */
  rounds(subject: string, workload: string): number[] | undefined {
    const figures = this.#results.get(subject)!.map((round) => round[workload]);
    return figures.every((figure) => figure !== undefined) ? figures : undefined;
  }

  median(subject: string, workload: string): number | undefined {
    const figures = this.rounds(subject, workload);
    return figures && median(figures);
  }

  /** How much of a peer's figure ours is: of the best of them, unless one is named. */
  ratio(workload: string, peer = this.best(workload)): number {
    return this.ratioOf(ours, peer, workload);
  }

  /** How much one subject's figure is of another's. */
  ratioOf(subject: string, other: string, workload: string): number {
    return medianRatio(this.rounds(subject, workload)!, this.rounds(other, workload)!);
  }

  /** The peer beside which ours looks worst. */
  best(workload: string): string {
    // Such as "lockstep, pct": other ways of ours are no peers.
    const isPeer = (name: string) => name !== ours && !name.startsWith(`${ours},`);
    const peers = this.subjects.filter((name) => isPeer(name) && this.rounds(name, workload));
    const sign = this.#costs.includes(workload) ? -1 : 1;
    const advantage = (peer: string) => sign * this.ratio(workload, peer);
    return peers.reduce((best, peer) => (advantage(peer) < advantage(best) ? peer : best));
  }

  /** One cell for each workload, in the order given. */
  cells(subject: string, workloads: readonly string[], show: (figure: number) => string): string[] {
    return workloads.map((workload) => {
      const figure = this.median(subject, workload);
      return figure === undefined ? "" : show(figure);
    });
  }

  /** What our figure is of the best peer's, a cell for each workload. */
  ratios(workloads: readonly string[]): string[] {
    return workloads.map((workload) =>
      this.#isCompared(workload) ? `${this.ratio(workload).toFixed(2)} ×` : "",
    );
  }

  /** At least so many times a peer's figure; at most, of a cost. The best of them, unless one is named. */
  target(what: string, workload: string, wanted: number, peer = this.best(workload)): Target {
    const ratio = this.ratio(workload, peer);
    const isCost = this.#costs.includes(workload);
    return {
      what: `${what}, to ${peer}`,
      target: `${isCost ? "≤" : "≥"} ${wanted} ×`,
      measured: `${ratio.toFixed(2)} ×`,
      isMet: isCost ? ratio <= wanted : ratio >= wanted,
    };
  }

  /** By workload and subject, for results/; with the ratio to the best peer where one has the same. */
  figures(workloads: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(
      workloads.map((workload) => {
        const able = this.subjects.filter((subject) => this.rounds(subject, workload));
        const verdict = this.#isCompared(workload)
          ? { ratio: this.ratio(workload), bestPeer: this.best(workload) }
          : {};
        const bySubject = able.map((subject) => {
          const figures = this.rounds(subject, workload)!;
          return [subject, { median: median(figures), rounds: figures }];
        });
        return [workload, { ...verdict, ...Object.fromEntries(bySubject) }];
      }),
    );
  }

  #isCompared(workload: string): boolean {
    const able = this.subjects.filter((subject) => this.rounds(subject, workload));
    return able.includes(ours) && able.length > 1;
  }
}
