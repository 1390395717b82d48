// Messages from one thread to another: Channel, a MessagePort, and the ring buffer of npm.
import { isLockstepError } from "lockstep/base";
import { Channel, type ChannelHandle } from "lockstep/threads";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Subjects } from "../apart.js";
import { loadPeer } from "../peers.js";
import { together, type Players } from "./arena.js";

interface RingModule {
  readonly RingBuffer: {
    getStorageForCapacity(capacity: number, type: Uint8ArrayConstructor): SharedArrayBuffer;
    new (
      memory: SharedArrayBuffer,
      type: Uint8ArrayConstructor,
    ): {
      readonly push: (elements: Uint8Array) => number;
      readonly pop: (elements: Uint8Array) => number;
      readonly available_read: () => number;
      readonly available_write: () => number;
    };
  };
}

const module = "./channels.js";
const recordBytes = 64;
/** So many messages may be under way at once. */
const capacity = 1024;
const ring = "ringbuf.js";
const sleepingRing = "ringbuf.js, waiting";

const sendAndReceive = (name: string, dataOf: () => unknown, portsOf?: () => MessagePort[]) => () =>
  together(module, [`${name}, sender`, `${name}, receiver`], dataOf, portsOf);

export const subjects: Subjects = {
  lockstep: () => ({
    messages: sendAndReceive("lockstep", () => new Channel({ recordBytes, capacity }).handle),
  }),
  postMessage: () => ({
    messages: sendAndReceive("postMessage", () => new SharedArrayBuffer(4), newPorts),
  }),
  [ring]: async () => ({ messages: sendAndReceive(ring, await newRings()) }),
  [sleepingRing]: async () => {
    const newRing = await newRings();
    const newWaiting = (): WaitingRing => ({ ring: newRing(), bells: new SharedArrayBuffer(8) });
    return { messages: sendAndReceive(sleepingRing, newWaiting) };
  },
};

export const players: Players<never> = {
  "lockstep, sender"(seat, handle: ChannelHandle<Uint8Array>) {
    const channel = Channel.from(handle);
    const message = new Uint8Array(recordBytes);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      message[0] = number;
      channel.sendSync(message);
    }
    channel.close();
  },
  "lockstep, receiver"(seat, handle: ChannelHandle<Uint8Array>) {
    const channel = Channel.from(handle);
    seat.begin(2);
    try {
      for (let number = 0; ; number++) {
        look(channel.receiveSync(), number);
        seat.done();
      }
    } catch (error) {
      if (!isLockstepError(error, "closed")) throw error;
    }
  },

  /** A port has no bound of its own: what is under way is counted, as every program with a bound must. */
  "postMessage, sender"(seat, credit: SharedArrayBuffer) {
    const underWay = new Int32Array(credit);
    const message = new Uint8Array(recordBytes);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      while (Atomics.load(underWay, 0) >= capacity && seat.goesOn()) Atomics.wait(underWay, 0, capacity, 10);
      Atomics.add(underWay, 0, 1);
      message[0] = number;
      seat.port!.postMessage(message);
    }
    seat.port!.postMessage(null);
  },
  "postMessage, receiver"(seat, credit: SharedArrayBuffer) {
    const underWay = new Int32Array(credit);
    let number = 0;
    return new Promise<void>((resolve) => {
      seat.port!.on("message", (message: Uint8Array | null) => {
        if (message === null) {
          resolve();
          return;
        }
        look(message, number++);
        seat.done();
        if (Atomics.sub(underWay, 0, 1) === capacity) Atomics.notify(underWay, 0);
      });
      seat.begin(2);
    });
  },

  /** It has no way to wait, so both threads look again and again: its fastest form. */
  async [`${ring}, sender`](seat, memory: SharedArrayBuffer) {
    const { RingBuffer } = await loadPeer<RingModule>(ring);
    const buffer = new RingBuffer(memory, Uint8Array);
    const message = new Uint8Array(recordBytes);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      while (buffer.available_write() < recordBytes && seat.goesOn());
      message[0] = number;
      if (seat.goesOn()) buffer.push(message);
    }
  },
  async [`${ring}, receiver`](seat, memory: SharedArrayBuffer) {
    const { RingBuffer } = await loadPeer<RingModule>(ring);
    const buffer = new RingBuffer(memory, Uint8Array);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      while (buffer.available_read() < recordBytes && seat.goesOn());
      if (!seat.goesOn()) return;
      // A message of its own, as the others give.
      const message = new Uint8Array(recordBytes);
      buffer.pop(message);
      look(message, number);
      seat.done();
    }
  },

  /** The same with the least that lets both sleep: each wakes the other for each message. */
  async [`${sleepingRing}, sender`](seat, memory: WaitingRing) {
    const { RingBuffer } = await loadPeer<RingModule>(ring);
    const buffer = new RingBuffer(memory.ring, Uint8Array);
    const bells = new Int32Array(memory.bells);
    const message = new Uint8Array(recordBytes);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      sleepUntil(bells, roomBell, () => buffer.available_write() >= recordBytes || !seat.goesOn());
      message[0] = number;
      if (seat.goesOn()) buffer.push(message);
      wake(bells, messageBell);
    }
  },
  async [`${sleepingRing}, receiver`](seat, memory: WaitingRing) {
    const { RingBuffer } = await loadPeer<RingModule>(ring);
    const buffer = new RingBuffer(memory.ring, Uint8Array);
    const bells = new Int32Array(memory.bells);
    seat.begin(2);
    for (let number = 0; seat.goesOn(); number++) {
      sleepUntil(bells, messageBell, () => buffer.available_read() >= recordBytes || !seat.goesOn());
      if (!seat.goesOn()) return;
      const message = new Uint8Array(recordBytes);
      buffer.pop(message);
      wake(bells, roomBell);
      look(message, number);
      seat.done();
    }
  },
};

/** The storage of a ring, and the words that each side sleeps by. */
interface WaitingRing {
  readonly ring: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
}

const roomBell = 0;
const messageBell = 1;

function sleepUntil(bells: Int32Array, bell: number, isTrue: () => boolean): void {
  for (;;) {
    const seen = Atomics.load(bells, bell);
    if (isTrue()) return;
    Atomics.wait(bells, bell, seen, 10);
  }
}

function wake(bells: Int32Array, bell: number): void {
  Atomics.add(bells, bell, 1);
  Atomics.notify(bells, bell);
}

async function newRings(): Promise<() => SharedArrayBuffer> {
  const { RingBuffer } = await loadPeer<RingModule>(ring);
  return () => RingBuffer.getStorageForCapacity(recordBytes * capacity, Uint8Array);
}

function newPorts(): MessagePort[] {
  const { port1, port2 } = new MessageChannel();
  return [port1, port2];
}

function look(message: Uint8Array, number: number): void {
  if (message[0] !== (number & 255)) throw new Error(`message ${number} was lost or is out of order`);
}
