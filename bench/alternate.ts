import { showProgress } from "./report.js";

export interface Subject<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

/**
 * Measures each subject once a round, by turns, so that whatever else the machine does meets all of them
 * alike. Each round begins with another one. Returns what was measured, by subject and round.
 */
export async function alternate<T>(
  rounds: number,
  subjects: readonly Subject<T>[],
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(subjects.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const { name, measure } = subjects[(round + turn) % subjects.length]!;
      showProgress(`round ${round + 1} of ${rounds}: ${name}`);
      results.get(name)!.push(await measure());
    }
  }
  return results;
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The median, over the rounds, of one subject's figure divided by the other's in the same round. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((figure, round) => figure / theirs[round]!));
}

/** The number that the given part of the numbers lies below, between neighbours in proportion. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position % 1);
}
