import { Held } from "../sync/held.js";
import { thrownInWords, valueInWords } from "./in-words.js";
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
  /** Those by which two schedules can be told apart: text may well hold an id that is new each time. */
  readonly plainAnswers: string[] = [];
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
    const { task, kind, what, value } = point;
    if (kind === "answer" && typeof value !== "string" && !isObject(value)) this.plainAnswers.push(did);
    this.#add(`${task.number} ${kind} ${typeof what === "string" ? what : ""} ${others}`);
  }

  taskEnded(task: Task): void {
    if (task.failure !== undefined) this.#throws(task, task.failure.error);
    // The program itself ends when there is nothing more to tell.
    else if (task.parent !== undefined) this.#say(task, "ends");
  }

  /** What went wrong after the last step. */
  fail(task: Task, error: unknown): void {
    // A task that nobody awaited has told it.
    if (this.#rows.at(-1)?.did.endsWith(thrown(error)) !== true) this.#throws(task, error);
  }

  #throws(task: Task, error: unknown): void {
    const text = thrown(error);
    const last = this.#rows.at(-1);
    // A refusal that the task did not catch is told once.
    if (last?.task !== task || !last.did.endsWith(text)) this.#say(task, text);
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
  if (kind === "answer")
    return value === undefined ? `${name}: done` : `${name} → ${brief(valueInWords(value))}`;
  if (kind === "refusal") return `${name} ${thrown(value)}`;
  if (kind !== "grant") return name;
  if (value instanceof Held) return `gets ${name}`;
  if (isIteration(value)) return value.done === true ? `${name}: no more` : granted(name, value.value);
  return granted(name, value);
}

function granted(name: string, value: unknown): string {
  return value === undefined ? `goes on after ${name}` : `gets ${name}: ${brief(valueInWords(value))}`;
}

/** What a step of `for await` gives. */
function isIteration(value: unknown): value is IteratorResult<unknown> {
  if (!isObject(value)) return false;
  return "done" in value && "value" in value && Object.keys(value).length === 2;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function thrown(error: unknown): string {
  return `✗ ${brief(thrownInWords(error))}`;
}

/** In one line, without the colon before a list, and not too long. */
function brief(text: string): string {
  const line = text.split("\n", 1)[0]!.replace(/:$/, "");
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
