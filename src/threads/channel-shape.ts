import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";

/** How much a channel holds: so many bytes of messages of any length, or so many records. */
export type ChannelSize =
  | {
      /** How many bytes of messages it holds; each message takes four more, and fills up the last four. */
      bytes: number;
      recordBytes?: undefined;
      capacity?: undefined;
    }
  | {
      /** How many bytes a record has at most. */
      recordBytes: number;
      /** How many records it holds. */
      capacity: number;
      bytes?: undefined;
    };

export const cellBytes = Int32Array.BYTES_PER_ELEMENT;
const mostBytes = 2 ** 30;

/** What follows from a channel's size. All is counted in cells of four bytes. */
export class ChannelShape {
  /** How many cells may be used. */
  readonly cells: number;
  /** How many there are: a power of two, so that a position that overflows is still the right one. */
  readonly ringCells: number;
  /** The longest message. */
  readonly messageBytes: number;
  /** The cells of every message, or 0 if each takes what it needs. */
  readonly #recordCells: number;

  /** Throws 'bad-input' for what is no size. */
  constructor(size: { [Part in keyof ChannelSize]?: number | undefined } | null | undefined) {
    const { bytes, recordBytes, capacity } = size ?? {};
    if (bytes !== undefined) {
      if (recordBytes !== undefined || capacity !== undefined) throw badSize();
      checkWhole("bytes", bytes, 2 * cellBytes, mostBytes);
      this.cells = Math.floor(bytes / cellBytes);
      this.messageBytes = (this.cells - 1) * cellBytes;
      this.#recordCells = 0;
    } else {
      if (recordBytes === undefined || capacity === undefined) throw badSize();
      checkWhole("recordBytes", recordBytes, 1, mostBytes);
      checkWhole("capacity", capacity, 1, mostBytes);
      this.#recordCells = cellsFor(recordBytes);
      this.cells = this.#recordCells * capacity;
      this.messageBytes = recordBytes;
    }
    if (this.cells > mostBytes / cellBytes) {
      throw new LockstepError("bad-input", `a channel holds at most ${mostBytes} bytes; ask for less`);
    }
    this.ringCells = 2 ** Math.ceil(Math.log2(this.cells));
  }

  /** How many cells a message of so many bytes takes. */
  cellsOf(bytes: number): number {
    return this.#recordCells === 0 ? cellsFor(bytes) : this.#recordCells;
  }

  /** Whether a message may take more cells than another. */
  get isMixed(): boolean {
    return this.#recordCells === 0;
  }
}

/** The length, and the bytes. */
function cellsFor(bytes: number): number {
  return 1 + Math.ceil(bytes / cellBytes);
}

function badSize(): LockstepError {
  return new LockstepError(
    "bad-input",
    "a channel needs its size: { bytes } for messages of any length, { recordBytes, capacity } for records",
  );
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new LockstepError(
    "bad-input",
    `${name} must be a whole number from ${least} to ${most}, not ${shown(value)}`,
  );
}
