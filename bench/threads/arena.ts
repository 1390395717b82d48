import { setTimeout as sleep } from "node:timers/promises";
import { Worker, type MessagePort } from "node:worker_threads";
import type { Pace } from "../pace.js";
import type { Seat } from "./seat.js";

/** What a module exports as `loops`: run in a thread of its own, with data from the one that starts it. */
export type Loops<Data> = Record<string, (pace: Pace, data: Data) => void | Promise<void>>;

/** What a module exports as `players`: run in two threads or more at once. They may answer with a figure. */
export type Players<Data> = Record<string, (seat: Seat, data: Data) => unknown>;

/** What a thread is told. */
export interface Part {
  readonly module: string;
  readonly name: string;
  readonly data: unknown;
  readonly seat?: {
    readonly index: number;
    readonly memory: SharedArrayBuffer;
    readonly port: MessagePort | undefined;
  };
}

const warmUpMs = 150;
const measuredMs = 250;

/** The words that those who play together share. */
export const words = { isOver: 0, ready: 1, done: 2, decided: 3 };

/** How often a second a loop does something, alone in a thread. */
export async function alone(module: string, name: string, data?: unknown): Promise<number> {
  const thread = start({ module, name, data });
  return answerOf(thread);
}

/** How often a second all players together say that something is done. Each gets one of the ports, if any. */
export async function together(
  module: string,
  names: readonly string[],
  dataOf: () => unknown,
  portsOf: () => readonly MessagePort[] = () => [],
): Promise<number> {
  const { perSecond } = await play(module, names, dataOf(), portsOf());
  return perSecond;
}

/** What the players answer, on average. */
export async function answers(module: string, names: readonly string[], data: unknown): Promise<number> {
  const { answers } = await play(module, names, data);
  return answers.reduce((sum, answer) => sum + answer) / answers.length;
}

async function play(
  module: string,
  names: readonly string[],
  data: unknown,
  ports: readonly MessagePort[] = [],
): Promise<{ perSecond: number; answers: number[] }> {
  const memory = new SharedArrayBuffer(16);
  const shared = new Int32Array(memory);
  const threads = names.map((name, index) =>
    start({ module, name, data, seat: { index, memory, port: ports[index] } }),
  );
  const ends = Promise.all(threads.map(answerOf));
  while (Atomics.load(shared, words.ready) < names.length) await Promise.race([sleep(5), ends]);
  await Promise.race([sleep(warmUpMs), ends]);
  const [before, since] = [Atomics.load(shared, words.done), performance.now()];
  await Promise.race([sleep(measuredMs), ends]);
  const [after, until] = [Atomics.load(shared, words.done), performance.now()];
  Atomics.store(shared, words.isOver, 1);
  Atomics.notify(shared, words.isOver);
  return { perSecond: (after - before) / ((until - since) / 1000), answers: await ends };
}

function start(part: Part): Worker {
  const transferList = part.seat?.port ? [part.seat.port] : [];
  return new Worker(new URL("thread.ts", import.meta.url), { workerData: part, transferList });
}

async function answerOf(thread: Worker): Promise<number> {
  const answer = await new Promise<number>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
    thread.once("exit", (status) => reject(new Error(`a thread ended with status ${status}`)));
  });
  await thread.terminate();
  return answer;
}
