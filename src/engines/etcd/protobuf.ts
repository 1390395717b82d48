// As much of the binary form of protocol buffers as etcd's messages need.

/** How a value is written and read: as a number, or as bytes with their length before them. */
export type Codec<Read, Written = Read> = {
  readonly absent: Read;
} & (
  | { readonly encodeNumber: (value: Written) => bigint; readonly decodeNumber: (value: bigint) => Read }
  | { readonly encode: (value: Written) => Uint8Array; readonly decode: (bytes: Buffer) => Read }
);

/** One field of a message, by its number there. */
export interface Field<Read, Written = Read> {
  readonly number: number;
  readonly codec: Codec<unknown, never>;
  readonly isList: boolean;
  /** What is read where it is not in the message. */
  readonly absent: Read;
  /** Only for its type. */
  readonly written?: Written;
}

export const int64: Codec<bigint> = {
  absent: 0n,
  encodeNumber: (value) => BigInt.asUintN(64, value),
  decodeNumber: (value) => BigInt.asIntN(64, value),
};

export const flag: Codec<boolean> = {
  absent: false,
  encodeNumber: (value) => (value ? 1n : 0n),
  decodeNumber: (value) => value !== 0n,
};

/** What is read is a window into the whole message. */
export const bytes: Codec<Buffer, Uint8Array> = {
  absent: Buffer.alloc(0),
  encode: (value) => value,
  decode: (value) => value,
};

export const text: Codec<string> = {
  absent: "",
  encode: (value) => Buffer.from(value),
  decode: (value) => value.toString(),
};

/** One of these names, by its place among them. */
export function choice<const Name extends string>(...names: readonly [Name, ...Name[]]): Codec<Name> {
  return {
    absent: names[0],
    encodeNumber: (value) => BigInt(names.indexOf(value)),
    decodeNumber: (value) => names[Number(value)] ?? names[0],
  };
}

export function one<Read, Written>(number: number, codec: Codec<Read, Written>): Field<Read, Written> {
  return { number, codec, isList: false, absent: codec.absent };
}

export function maybe<Read, Written>(
  number: number,
  codec: Codec<Read, Written>,
): Field<Read | undefined, Written> {
  return { number, codec, isList: false, absent: undefined };
}

export function many<Read, Written>(
  number: number,
  codec: Codec<Read, Written>,
): Field<readonly Read[], readonly Written[]> {
  return { number, codec, isList: true, absent: [] };
}

// `any`, so that a field of any type will do.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Fields = Readonly<Record<string, Field<any, any>>>;
export type ReadOf<All extends Fields> = {
  readonly [Name in keyof All]: All[Name] extends Field<infer Read, unknown> ? Read : never;
};
/** What is not given is not written. */
export type WrittenOf<All extends Fields> = {
  readonly [Name in keyof All]?: NonNullable<All[Name]["written"]>;
};

/** A message of these fields; those that it does not know are skipped. */
export function message<All extends Fields>(fields: All): Codec<ReadOf<All>, WrittenOf<All>> {
  const named = Object.entries(fields);
  const byNumber = new Map(named.map(([name, field]) => [field.number, { name, field }]));
  const absent = Object.fromEntries(named.map(([name, field]) => [name, field.absent as unknown]));
  return {
    absent: absent as ReadOf<All>,
    encode(value) {
      const parts: Uint8Array[] = [];
      for (const [name, field] of named) {
        const given: unknown = value[name];
        const all = field.isList ? (given as unknown[] | undefined) : given === undefined ? [] : [given];
        for (const each of all ?? []) writeField(parts, field, each as never);
      }
      return Buffer.concat(parts);
    },
    decode(whole) {
      const found = { ...absent };
      const reader = new Reader(whole);
      while (!reader.isAtEnd) {
        const tag = Number(reader.number());
        const raw = reader.value(tag & 7);
        const { name, field } = byNumber.get(tag >> 3) ?? {};
        if (name === undefined || !field) continue;
        const value = read(field.codec, raw);
        if (!field.isList) found[name] = value;
        else if (found[name] === field.absent) found[name] = [value];
        else (found[name] as unknown[]).push(value);
      }
      return found as ReadOf<All>;
    },
  };
}

export function encoded<Written>(codec: Codec<unknown, Written>, value: Written): Uint8Array {
  if (!("encode" in codec)) throw new TypeError("only a message stands for itself");
  return codec.encode(value);
}

export function decoded<Read>(codec: Codec<Read, never>, whole: Buffer): Read {
  return read(codec, whole);
}

/** The types of values on the wire. */
const wire = { number: 0, eightBytes: 1, counted: 2, fourBytes: 5 } as const;

function read<Read>(codec: Codec<Read, never>, raw: bigint | Buffer): Read {
  if (typeof raw === "bigint" && "decodeNumber" in codec) return codec.decodeNumber(raw);
  if (typeof raw !== "bigint" && "decode" in codec) return codec.decode(raw);
  throw new TypeError("a field of another type than it should be");
}

function writeField(parts: Uint8Array[], { number, codec }: Field<unknown>, value: never): void {
  if ("encodeNumber" in codec) {
    parts.push(numberIn((number << 3) | wire.number), numberIn(codec.encodeNumber(value)));
  } else {
    const content = codec.encode(value);
    parts.push(numberIn((number << 3) | wire.counted), numberIn(content.length), content);
  }
}

/** Seven bits in each byte, the lowest first; the eighth says that more follow. */
function numberIn(value: bigint | number): Uint8Array {
  if (value < 128) return Uint8Array.of(Number(value));
  const found: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) found.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...found, Number(rest)]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(whole: Buffer) {
    this.#bytes = whole;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("a message ended too early");
      if (byte < 128 && shift === 0n) return BigInt(byte);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  value(type: number): bigint | Buffer {
    switch (type) {
      case wire.number:
        return this.number();
      case wire.eightBytes:
        return this.#take(8);
      case wire.counted:
        return this.#take(Number(this.number()));
      case wire.fourBytes:
        return this.#take(4);
      default:
        throw new TypeError(`there are no values of type ${type}`);
    }
  }

  #take(length: number): Buffer {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new RangeError("a message ended too early");
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }
}
