// lockstep/threads beside bare Atomics, `multithreading`, message ports and a ring buffer.
import { measureApart, rounds } from "./apart.js";
import { Comparison } from "./comparison.js";
import type { Report, Table, Target } from "./report.js";
import { counted } from "./threads/counted.js";

const bare = "bare Atomics";
const leastOfBare = 0.5;
const mostOfBare = 1.3;
const mostWhenRunning = 0.25;

export async function threads(): Promise<Report> {
  const mutex = await compare("mutexes", ["multithreading", bare]);
  const channel = await compare("channels", ["postMessage", "ringbuf.js", "ringbuf.js, waiting"]);
  const rest = new Comparison(await measureApart("./threads/rest.js", Object.keys(counted)));
  return {
    ...mutexTable(mutex),
    further: [channelTable(channel), restTable(rest)],
    targets: [
      ...mutexTargets(mutex),
      channel.target("Channel, messages a second", "messages", 1, "postMessage"),
    ],
    figures: {
      mutex: mutex.figures(["pairs", "atOnce", "asleep", "running"]),
      channel: channel.figures(["messages"]),
      rest: Object.fromEntries(
        rest.subjects.map((name) => [
          name,
          { perSecond: rest.median(name, "each"), rounds: rest.rounds(name, "each") },
        ]),
      ),
    },
  };
}

async function compare(module: string, peers: readonly string[]): Promise<Comparison> {
  const results = await measureApart(`./threads/${module}.js`, ["lockstep", ...peers]);
  return new Comparison(results, ["asleep", "running"]);
}

const millions = (perSecond: number) => (perSecond / 1e6).toFixed(2);
const microseconds = (figure: number) => figure.toFixed(2);

function mutexTable(mutex: Comparison): Table {
  return {
    title: `Mutex of threads (median of ${rounds} rounds, by turns)`,
    head: ["", "million pairs/s", "tryAcquire", "µs a hand-over, asleep", "both running"],
    rows: mutex.subjects.map((name) => [
      name,
      ...mutex.cells(name, ["pairs", "atOnce"], millions),
      ...mutex.cells(name, ["asleep", "running"], microseconds),
    ]),
  };
}

function channelTable(channel: Comparison): Table {
  return {
    title: `Channel of threads, messages of 64 bytes (median of ${rounds} rounds, by turns)`,
    head: ["", "millions a second"],
    rows: channel.subjects.map((name) => [name, ...channel.cells(name, ["messages"], millions)]),
  };
}

function restTable(rest: Comparison): Table {
  return {
    title: `The others among threads (median of ${rounds} rounds, by turns)`,
    head: ["", "counted", "millions a second"],
    rows: Object.entries(counted).map(([name, what]) => [
      name,
      what,
      ...rest.cells(name, ["each"], millions),
    ]),
  };
}

function mutexTargets(mutex: Comparison): Target[] {
  const handOver = "Mutex, time of a hand-over";
  return [
    mutex.target("Mutex, pairs alone", "pairs", leastOfBare, bare),
    mutex.target(`${handOver} from a thread to one asleep`, "asleep", mostOfBare, bare),
    mutex.target(`${handOver} between two that run`, "running", mostWhenRunning, bare),
  ];
}
