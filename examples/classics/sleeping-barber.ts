// A barber sleeps until somebody comes. Who comes while he is busy takes a chair to wait on, and goes away if
// all are taken. The chairs are a channel: `trySend` sits down or says no, and the loop over it sleeps until
// somebody has.
//
//   node --import ./scripts/typescript.mjs examples/classics/sleeping-barber.ts [loop|threads]
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { Channel, Latch } from "lockstep/sync";
import * as threads from "lockstep/threads";
import { play, playInThreads, sharedNumbers, total, upTo, type Outcome } from "./rooms.js";

const chairs = 3;
const doors = upTo(3);
const customersByDoor = 40;
const customers = doors.length * customersByDoor;

interface Shop {
  readonly waitingRoom: Channel<number> | threads.Channel<number>;
  /** Counts the doors through which somebody may still come. */
  readonly open: Latch | threads.Latch;
  readonly ledger: Ledger;
}

/** What is seen by all. */
interface Ledger {
  /** How often each customer had a haircut, and was sent away. */
  readonly served: Int32Array;
  readonly sentAway: Int32Array;
  /** How many are under the scissors. */
  readonly inTheChair: Int32Array;
  readonly clashes: Int32Array;
}

/** The barber's day, in either room: a channel of threads is awaited just like one of an event loop. */
async function cutHair({ waitingRoom, ledger }: Shop): Promise<void> {
  for await (const customer of waitingRoom) {
    Atomics.add(ledger.clashes, 0, Atomics.add(ledger.inTheChair, 0, 1));
    await sleep(1);
    Atomics.sub(ledger.inTheChair, 0, 1);
    Atomics.add(ledger.served, customer, 1);
  }
}

/** Lets in those who come by this door. */
async function letIn(door: number, { waitingRoom, open, ledger }: Shop): Promise<void> {
  for (let customer = door; customer < customers; customer += doors.length) {
    await sleep(Math.random() * 6);
    if (!waitingRoom.trySend(customer)) Atomics.add(ledger.sentAway, customer, 1);
  }
  open.countDown();
}

/** When nobody can come any more, the shop is closed; who sits and waits is served still. */
async function closeUp({ waitingRoom, open }: Shop): Promise<void> {
  await open.wait();
  waitingRoom.close();
}

function openLedger(): Ledger {
  const [served, sentAway] = [sharedNumbers(customers), sharedNumbers(customers)];
  return { served, sentAway, inTheChair: sharedNumbers(1), clashes: sharedNumbers(1) };
}

function judge({ served, sentAway, clashes }: Ledger): Outcome {
  const faults: string[] = [];
  const fates = served.map((times, customer) => times + sentAway[customer]!);
  const lost = fates.filter((times) => times === 0).length;
  const doubled = fates.filter((times) => times > 1).length;
  if (lost > 0) faults.push(`${lost} customers were lost`);
  if (doubled > 0) faults.push(`${doubled} customers were seen to more than once`);
  if (clashes[0]! > 0) faults.push("the barber cut two at once");
  if (total(served) < chairs) faults.push("hardly anybody was served");
  return {
    story: `${customers} came, ${total(served)} had a haircut, ${total(sentAway)} found no chair`,
    faults,
  };
}

async function inOneLoop(): Promise<Outcome> {
  const ledger = openLedger();
  const waitingRoom = new Channel<number>({ capacity: chairs });
  const shop: Shop = { waitingRoom, open: new Latch(doors.length), ledger };
  await Promise.all([cutHair(shop), closeUp(shop), ...doors.map((door) => letIn(door, shop))]);
  return judge(ledger);
}

interface Part {
  /** The number of the door; undefined for the barber. */
  readonly door: number | undefined;
  readonly waitingRoom: threads.ChannelHandle<number>;
  readonly open: threads.LatchHandle;
  readonly ledger: Ledger;
}

async function acrossThreads(): Promise<Outcome> {
  const ledger = openLedger();
  const waitingRoom = threads.Channel.numbers({ capacity: chairs });
  const open = new threads.Latch(doors.length);
  const handles = { waitingRoom: waitingRoom.handle, open: open.handle };
  const parts = [undefined, ...doors].map((door): Part => ({ door, ...handles, ledger }));
  await Promise.all([closeUp({ waitingRoom, open, ledger }), playInThreads(import.meta.url, parts)]);
  return judge(ledger);
}

if (isMainThread) {
  await play(
    "A barber sleeps; customers come by three doors, and three chairs are there to wait on.",
    "nobody was lost, nobody was served twice, and the barber cut one at a time.",
    { loop: inOneLoop, threads: acrossThreads },
  );
} else {
  const { door, ledger, ...handles } = workerData as Part;
  const waitingRoom = threads.Channel.from(handles.waitingRoom);
  const shop: Shop = { waitingRoom, open: threads.Latch.from(handles.open), ledger };
  await (door === undefined ? cutHair(shop) : letIn(door, shop));
}
