import type { FindingKind } from "./finding.js";
import { thrownInWords } from "./in-words.js";
import { replayTextOf } from "./replay-text.js";
import type { Run } from "./run.js";
import type { ScheduleRow } from "./schedule-record.js";
import { scheduleTable } from "./schedule-table.js";

/** What `explore` throws when a schedule breaks the program. Its cause is what that schedule threw. */
export class RaceFound extends Error {
  override readonly name = "RaceFound";
  readonly kind: FindingKind;
  /** Who did what, as simple as it could be made; all of it, where the message leaves something out. */
  readonly schedule: readonly ScheduleRow[];
  /** Plays this schedule again: `explore(program, { replay })`, with the same other options. */
  readonly replay: string;
  /** How many schedules were tried until one broke the program. */
  readonly schedules: number;

  /** @internal */
  constructor(run: Run, schedules: number) {
    const { kind, error, task } = run.finding!;
    const record = run.record!;
    record.fail(task, error);
    const replay = replayTextOf(run);
    super(
      `${saidOf(kind)}${thrownInWords(error)}\n\n${scheduleTable(record.rows)}\n\n` +
        `Found in ${schedules} ${schedules === 1 ? "schedule" : "schedules"}. ` +
        `Play it again: explore(program, { replay: ${JSON.stringify(replay)} })`,
      { cause: error },
    );
    this.kind = kind;
    this.schedule = record.rows;
    this.replay = replay;
    this.schedules = schedules;
  }
}

/** The others name themselves. */
function saidOf(kind: FindingKind): string {
  return kind === "error" || kind === "broken invariant" ? `${kind}: ` : "";
}
