import { LockstepError } from "../base/errors.js";

const longestMs = 365 * 24 * 3_600_000;
const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Makes a parser of the durations that one option takes, such as `250ms` and `1.5s`. */
export function durationOf(option: string): (text: string) => number {
  return (text) => {
    const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
    const factor = unitMs[unit];
    const ms = Math.round(Number(digits) * (factor ?? NaN));
    if (ms <= longestMs) return ms;
    throw new LockstepError(
      "bad-input",
      `${option} does not understand ${JSON.stringify(text)}; ` +
        "give a number with its unit, such as 250ms, 5s, 2m or 1h, of at most a year",
    );
  };
}

/** For people: `850ms`, `3.2s`, `2m05s`, `1h02m`, `3d04h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return paired(seconds, 60, "m", "s");
  if (seconds < 86_400) return paired(Math.floor(seconds / 60), 60, "h", "m");
  return paired(Math.floor(seconds / 3600), 24, "d", "h");
}

function paired(count: number, base: number, large: string, small: string): string {
  return `${Math.floor(count / base)}${large}${String(count % base).padStart(2, "0")}${small}`;
}
