import { LockstepError } from "../base/errors.js";
import { jsonText } from "./json-text.js";

/** Memory that messages are written to and read from. */
export interface FormatMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** How values of one type become bytes, and bytes become values. */
export interface ChannelFormat<T, Wire = unknown> {
  /** What is written; only this runs code of the caller's. Throws 'bad-input' for another type. */
  toWire(value: T): Wire;
  /** At most so many bytes will be written. */
  mostBytes(wire: Wire): number;
  /** Says how many bytes were written, or -1 if there is not `room` for all. */
  write(wire: Wire, to: FormatMemory, at: number, room: number): number;
  read(from: FormatMemory, at: number, bytes: number): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const asBytes: ChannelFormat<Uint8Array, Uint8Array> = {
  toWire(value) {
    if (value instanceof Uint8Array) return value;
    throw badValue("a Uint8Array", value, "; Channel.json and Channel.numbers send other things");
  },
  mostBytes: (wire) => wire.length,
  write(wire, { bytes }, at, room) {
    if (wire.length > room) return -1;
    bytes.set(wire, at);
    return wire.length;
  },
  read: ({ bytes }, at, length) => bytes.slice(at, at + length),
};

const asJson: ChannelFormat<unknown, string> = {
  toWire: (value) => jsonText(value, "this channel sends"),
  mostBytes: (wire) => wire.length * 3,
  write(wire, { bytes }, at, room) {
    const { read, written } = encoder.encodeInto(wire, bytes.subarray(at, at + room));
    return read < wire.length ? -1 : written;
  },
  read: ({ bytes }, at, length) => JSON.parse(decoder.decode(bytes.subarray(at, at + length))) as unknown,
};

/** The bytes that a number takes. */
export const numberBytes = Float64Array.BYTES_PER_ELEMENT;

const asNumber: ChannelFormat<number, number> = {
  toWire(value) {
    if (typeof value === "number") return value;
    throw badValue("a number", value, "");
  },
  mostBytes: () => numberBytes,
  write(wire, { view }, at) {
    view.setFloat64(at, wire, true);
    return numberBytes;
  },
  read: ({ view }, at) => view.getFloat64(at, true),
};

/** The formats, by the names that travel in a handle. */
export const channelFormats = { bytes: asBytes, json: asJson, numbers: asNumber } as const;

export type ChannelFormatName = keyof typeof channelFormats;

function badValue(expected: string, value: unknown, hint: string): LockstepError {
  const found = typeof value === "object" && value !== null ? "an object of another kind" : String(value);
  return new LockstepError("bad-input", `this channel sends ${expected}, not ${found}${hint}`);
}
