import type { Clock } from "../base/clock.js";
import { ChannelDoorbell } from "./channel-doorbell.js";
import type { ChannelFrames } from "./channel-frames.js";
import { cellBytes, type ChannelShape } from "./channel-shape.js";
import type { Liveness } from "./liveness.js";
import { ShortLock } from "./short-lock.js";

// What one side writes often, and what either side sleeps by, have cache lines of their own. The head and the
// tail have theirs apart from the locks: the other side reads them, and would take the locks' line away.
const closedAt = 0;
const sendersAt = 16;
/** @internal The head as senders have last seen it: to look at the head itself costs them a cache line. */
export const headSeenAt = 17;
/** @internal Where the next message goes. */
export const tailAt = 32;
const receiversAt = 48;
/** @internal The tail as receivers have last seen it. */
export const tailSeenAt = 49;
/** @internal Where the next message is. */
export const headAt = 64;
const roomAt = 80;
const messagesAt = 96;
const firstCellAt = 112;

/** More cells than this are copied faster by one call than one by one. */
const fewCells = 24;

/**
 * Messages in shared memory, first in, first out.
 *
 * Senders take turns by one lock, and receivers by another, while they copy their messages; a sender and a
 * receiver do not meet. (Slots that are claimed one by one and published by sequence numbers were no faster
 * here, and a slot whose thread dies in between blocks the others.) Head and tail are cells counted without
 * end, so that the overflow of 32 bits is just another step.
 *
 * A message is sent in the moment in which the tail is moved behind it, and received when the head is, always
 * after the copy. So a thread that dies leaves the ring whole wherever it was: what it was about to send was
 * not sent, and what it was about to receive is there for the next one. The cells of a message are written
 * before the tail is, and read after it, by Atomics operations; so are the head and the cells that are free
 * again.
 */
export class ChannelRing {
  readonly shape: ChannelShape;
  readonly #words: Int32Array;
  readonly #cells: Int32Array;
  readonly #mask: number;
  readonly #senders: ShortLock;
  readonly #receivers: ShortLock;
  /** Rung when there is room again. */
  readonly room: ChannelDoorbell;
  /** Rung when there are messages. */
  readonly messages: ChannelDoorbell;

  /** The bytes of memory for a channel of this shape. */
  static memoryFor(shape: ChannelShape): number {
    return (firstCellAt + shape.ringCells) * cellBytes;
  }

  constructor(memory: SharedArrayBuffer, shape: ChannelShape, liveness: Liveness, clock: Clock) {
    this.#words = new Int32Array(memory);
    this.#cells = new Int32Array(memory, firstCellAt * cellBytes, shape.ringCells);
    this.shape = shape;
    this.#mask = shape.ringCells - 1;
    this.#senders = new ShortLock(this.#words, sendersAt, liveness);
    this.#receivers = new ShortLock(this.#words, receiversAt, liveness);
    this.room = new ChannelDoorbell(this.#words, roomAt, clock);
    this.messages = new ChannelDoorbell(this.#words, messagesAt, clock);
  }

  /** Whether nothing more will come in. */
  get isClosed(): boolean {
    return Atomics.load(this.#words, closedAt) === 1;
  }

  /** Lets nothing more in: whoever sees it closed sees all that was sent. */
  close(): void {
    this.#senders.enter();
    try {
      Atomics.store(this.#words, closedAt, 1);
    } finally {
      this.#senders.leave();
    }
    this.room.ring(Infinity);
    this.messages.ring(Infinity);
  }

  /**
   * Puts in as many of these messages as there is room for, in one go; says how many, or -1 if it is closed.
   * It tells nobody: ring `messages`.
   */
  push(frames: ChannelFrames): number {
    const words = this.#words;
    this.#senders.enter();
    try {
      if (words[closedAt] === 1) return -1;
      const tail = words[tailAt]!;
      let free = this.shape.cells - ((tail - words[headSeenAt]!) | 0);
      if (free < frames.usedCells) {
        words[headSeenAt] = Atomics.load(words, headAt);
        free = this.shape.cells - ((tail - words[headSeenAt]) | 0);
      }
      let count = 0;
      let end = 0;
      while (end < frames.usedCells) {
        const next = frames.next(end);
        if (next > free) break;
        end = next;
        count++;
      }
      if (count === 0) return 0;
      this.#copyIn(frames.cells, end, tail);
      Atomics.store(words, tailAt, (tail + end) | 0);
      return count;
    } finally {
      this.#senders.leave();
    }
  }

  /** Takes out so many messages, or all if there are fewer; says how many. It tells nobody: ring `room`. */
  pop(frames: ChannelFrames, most: number): number {
    const words = this.#words;
    this.#receivers.enter();
    try {
      const head = words[headAt]!;
      if (most > 1 || words[tailSeenAt] === head) words[tailSeenAt] = Atomics.load(words, tailAt);
      const ready = (words[tailSeenAt]! - head) | 0;
      let count = 0;
      let end = 0;
      while (end < ready && count < most) {
        end += this.shape.cellsOf(this.#cells[(head + end) & this.#mask]!);
        count++;
      }
      if (count === 0) return 0;
      frames.reserve(end);
      this.#copyOut(frames.cells, end, head);
      frames.usedCells = end;
      Atomics.store(words, headAt, (head + end) | 0);
      return count;
    } finally {
      this.#receivers.leave();
    }
  }

  /** Tells those who wait for room of so many messages that are gone. */
  ringForRoom(count: number): void {
    // A long message needs the room of many short ones, so each who waits must see for itself.
    this.room.ring(this.shape.isMixed ? Infinity : count);
  }

  #copyIn(source: Int32Array, length: number, position: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    if (length <= fewCells) {
      for (let cell = 0; cell < length; cell++) cells[(position + cell) & mask] = source[cell]!;
      return;
    }
    const start = position & mask;
    const first = Math.min(length, cells.length - start);
    cells.set(source.subarray(0, first), start);
    cells.set(source.subarray(first, length), 0);
  }

  #copyOut(target: Int32Array, length: number, position: number): void {
    const cells = this.#cells;
    const mask = this.#mask;
    if (length <= fewCells) {
      for (let cell = 0; cell < length; cell++) target[cell] = cells[(position + cell) & mask]!;
      return;
    }
    const start = position & mask;
    const first = Math.min(length, cells.length - start);
    target.set(cells.subarray(start, start + first));
    target.set(cells.subarray(0, length - first), first);
  }
}
