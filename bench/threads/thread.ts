// A thread of a bench: runs what it was started for, and answers with its pace.
import { parentPort, workerData } from "node:worker_threads";
import { paceOf } from "../pace.js";
import type { Loops, Part, Players } from "./arena.js";
import { Seat } from "./seat.js";

const { module, name, data, seat } = workerData as Part;
const { loops, players } = (await import(module)) as {
  loops?: Loops<unknown>;
  players?: Players<unknown>;
};

if (seat) {
  parentPort!.postMessage(await players![name]!(new Seat(seat), data));
} else {
  parentPort!.postMessage(await paceOf((pace) => loops![name]!(pace, data)));
}
