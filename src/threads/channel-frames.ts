import { LockstepError } from "../base/errors.js";
import type { ChannelFormat, FormatMemory } from "./channel-format.js";
import { cellBytes, type ChannelShape } from "./channel-shape.js";

const firstCells = 64;

/**
 * Messages on their way into a channel or out of it, in memory of this thread's own: one frame after the
 * other, as they are in the channel. A frame is the length in bytes, and the bytes.
 */
export class ChannelFrames implements FormatMemory {
  readonly #shape: ChannelShape;
  cells!: Int32Array<ArrayBuffer>;
  bytes!: Uint8Array<ArrayBuffer>;
  view!: DataView<ArrayBuffer>;
  usedCells = 0;

  constructor(shape: ChannelShape) {
    this.#shape = shape;
    this.#view(new ArrayBuffer(firstCells * cellBytes));
  }

  clear(): void {
    this.usedCells = 0;
  }

  /** Makes room for so many cells, and keeps what is there. */
  reserve(cells: number): void {
    if (cells <= this.cells.length) return;
    const { bytes } = this;
    this.#view(new ArrayBuffer(Math.max(cells, 2 * this.cells.length) * cellBytes));
    this.bytes.set(bytes);
  }

  /** Adds a message. Throws 'bad-input' if it is too long for the channel. */
  add<T, Wire>(format: ChannelFormat<T, Wire>, wire: Wire): void {
    const { messageBytes } = this.#shape;
    const room = Math.min(format.mostBytes(wire), messageBytes);
    const at = this.usedCells;
    this.reserve(at + this.#shape.cellsOf(room));
    const written = format.write(wire, this, (at + 1) * cellBytes, room);
    if (written < 0) {
      throw new LockstepError(
        "bad-input",
        `this message is longer than ${messageBytes} bytes, which is all that the channel can take; ` +
          `make the channel larger, or send it in parts`,
      );
    }
    this.cells[at] = written;
    this.usedCells += this.#shape.cellsOf(written);
  }

  /** The message that begins at a cell. */
  read<T>(format: ChannelFormat<T>, at: number): T {
    return format.read(this, (at + 1) * cellBytes, this.cells[at]!);
  }

  /** The cell at which the message after that one begins. */
  next(at: number): number {
    return at + this.#shape.cellsOf(this.cells[at]!);
  }

  #view(memory: ArrayBuffer): void {
    this.cells = new Int32Array(memory);
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
  }
}
