import { shown } from "../base/shown.js";
import { Held } from "../sync/held.js";
import type { Point } from "./point.js";
import type { Task } from "./task.js";

/** One line of a schedule: who did what. */
export interface ScheduleRow {
  readonly task: string;
  readonly did: string;
}

const longest = 44;

/** What happened in one schedule, for people, and a sum over it by which to know it again. */
export class ScheduleRecord {
  readonly #rows: { task: Task; did: string }[] = [];
  /** Of how many each choice was. */
  readonly counts: number[] = [];
  #sum = 0;

  get rows(): readonly ScheduleRow[] {
    const tasks = [...new Set(this.#rows.map(({ task }) => task))];
    // Two tasks may have one name.
    const isShared = (name: string) => tasks.filter((task) => task.name === name).length > 1;
    const columnOf = ({ name, number }: Task) => (isShared(name) ? `${name} (${number})` : name);
    return this.#rows.map(({ task, did }) => ({ task: columnOf(task), did }));
  }

  /** The same whenever the same choices led through the same steps. */
  get sum(): number {
    return this.#sum >>> 0;
  }

  stepBegins(point: Point, others: number): void {
    const did = textOf(point);
    this.#rows.push({ task: point.task, did });
    const { task, kind, what } = point;
    this.#add(`${task.number} ${kind} ${typeof what === "string" ? what : ""} ${others}`);
  }

  taskEnded(task: Task): void {
    if (task.failure !== undefined) this.#say(task, `✗ ${brief(task.failure.error)}`);
    // The program itself ends when there is nothing more to tell.
    else if (task.parent !== undefined) this.#say(task, "ends");
  }

  /** What went wrong after the last step. */
  fail(task: Task, error: unknown): void {
    const text = `✗ ${brief(error)}`;
    if (this.#rows.at(-1)?.did.includes(text) !== true) this.#say(task, text);
  }

  #say(task: Task, text: string): void {
    const last = this.#rows.at(-1);
    if (last?.task === task) last.did += `; ${text}`;
    else this.#rows.push({ task, did: text });
  }

  #add(text: string): void {
    for (let index = 0; index < text.length; index++) {
      this.#sum = Math.imul(this.#sum ^ text.charCodeAt(index), 0x01000193) + 1;
    }
  }
}

function textOf({ kind, what, value }: Point): string {
  const name = typeof what === "string" ? what : what();
  if (kind === "start") return "begins";
  if (kind === "answer") return value === undefined ? `${name}: done` : `${name} → ${brief(value)}`;
  if (kind === "refusal") return `${name} ✗ ${brief(value)}`;
  if (kind !== "grant") return name;
  if (value instanceof Held) return `gets ${name}`;
  return value === undefined ? `goes on after ${name}` : `gets ${name}: ${brief(value)}`;
}

/** In one line, and not too long; never throws. */
function brief(value: unknown): string {
  const text = (value instanceof Error ? value.message : literal(value)).split("\n", 1)[0]!;
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

function literal(value: unknown): string {
  const isPlain = Array.isArray(value) || (typeof value === "object" && value?.constructor === Object);
  if (!isPlain) return shown(value);
  try {
    return JSON.stringify(value);
  } catch {
    return shown(value);
  }
}
