import { check, type Model, type Operation } from "lockstep/check";
import type { World } from "lockstep/simulation";
import type { Believers } from "./believers.js";

/** What processes do in a simulated world, and how that is judged. */
export interface Workload {
  readonly name: string;
  /** Says who believes to hold what, for others to ask. */
  play(world: World, minutes: number, believers: Believers): Promise<Played>;
}

export interface Played {
  readonly grants: number;
  /** For how long locks were in contended use, added up. */
  readonly lockHours: number;
  /** What went wrong that may not. */
  readonly findings: readonly string[];
}

/** What the checker has against a history. */
export function judged<State>(operations: readonly Operation[], model: Model<State>): string[] {
  const verdict = check({ operations }).linearizable(model);
  if (verdict.is === "valid") return [];
  if (verdict.is === "unknown") return [`undecided: ${verdict.reason}`];
  return verdict.anomalies.map(({ explanation }) => explanation);
}
