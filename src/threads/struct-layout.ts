import { LockstepError } from "../base/errors.js";

/** A number, bigint or boolean of so many bits; so many bytes; or text of at most so many UTF-8 bytes. */
export type StructField = ScalarField | { readonly bytes: number } | { readonly text: number };
export type ScalarField =
  "f64" | "f32" | "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "bool";

/** The fields of a struct by their names. */
export type StructFields = Readonly<Record<string, StructField>>;

/** What a struct of these fields holds. */
export type StructValues<Fields extends StructFields> = {
  -readonly [Name in keyof Fields]: FieldValue<Fields[Name]>;
};

type FieldValue<Field> = Field extends "u64" | "i64"
  ? bigint
  : Field extends "bool"
    ? boolean
    : Field extends ScalarField
      ? number
      : Field extends { readonly text: number }
        ? string
        : Uint8Array;

/** How a field is read and written; what it does not accept, and what it does, in words. */
interface FieldAccess {
  readonly bytes: number;
  readonly expects: string;
  accepts(value: unknown): boolean;
  get(view: DataView, at: number): unknown;
  set(view: DataView, at: number, value: never): void;
}

interface PlacedField {
  readonly at: number;
  readonly access: FieldAccess;
}

const mostBytes = 2 ** 28;
const lengthBytes = 4;
const encoder = new TextEncoder();
/** It must not take the mark of a byte order away, which is a character of the text as any other. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** With the flag it does not match the halves of a pair. */
const loneSurrogate = /\p{Surrogate}/u;

const scalars: Readonly<Record<ScalarField, FieldAccess>> = {
  f64: {
    ...any("number", 8),
    get: (view, at) => view.getFloat64(at, true),
    set: (view, at, value: number) => view.setFloat64(at, value, true),
  },
  f32: {
    ...any("number", 4),
    get: (view, at) => view.getFloat32(at, true),
    set: (view, at, value: number) => view.setFloat32(at, value, true),
  },
  u8: {
    ...whole(0, 2 ** 8 - 1, 1),
    get: (view, at) => view.getUint8(at),
    set: (view, at, value: number) => view.setUint8(at, value),
  },
  i8: {
    ...whole(-(2 ** 7), 2 ** 7 - 1, 1),
    get: (view, at) => view.getInt8(at),
    set: (view, at, value: number) => view.setInt8(at, value),
  },
  u16: {
    ...whole(0, 2 ** 16 - 1, 2),
    get: (view, at) => view.getUint16(at, true),
    set: (view, at, value: number) => view.setUint16(at, value, true),
  },
  i16: {
    ...whole(-(2 ** 15), 2 ** 15 - 1, 2),
    get: (view, at) => view.getInt16(at, true),
    set: (view, at, value: number) => view.setInt16(at, value, true),
  },
  u32: {
    ...whole(0, 2 ** 32 - 1, 4),
    get: (view, at) => view.getUint32(at, true),
    set: (view, at, value: number) => view.setUint32(at, value, true),
  },
  i32: {
    ...whole(-(2 ** 31), 2 ** 31 - 1, 4),
    get: (view, at) => view.getInt32(at, true),
    set: (view, at, value: number) => view.setInt32(at, value, true),
  },
  u64: {
    ...big(0n, 2n ** 64n - 1n),
    get: (view, at) => view.getBigUint64(at, true),
    set: (view, at, value: bigint) => view.setBigUint64(at, value, true),
  },
  i64: {
    ...big(-(2n ** 63n), 2n ** 63n - 1n),
    get: (view, at) => view.getBigInt64(at, true),
    set: (view, at, value: bigint) => view.setBigInt64(at, value, true),
  },
  bool: {
    ...any("boolean", 1),
    get: (view, at) => view.getUint8(at) === 1,
    set: (view, at, value: boolean) => view.setUint8(at, value ? 1 : 0),
  },
};

/** Where the fields of a struct are in its bytes: one after the other, in the order of their naming. */
export class StructLayout<Fields extends StructFields> {
  readonly fields: Fields;
  readonly bytes: number;
  readonly #placed = new Map<string, PlacedField>();

  /** Throws 'bad-input' for what is no list of fields. */
  constructor(fields: Fields) {
    if (typeof fields !== "object" || (fields as unknown) === null || Object.keys(fields).length === 0) {
      throw badInput('a struct needs its fields by name, as in { x: "f64", count: "i32" }');
    }
    let at = 0;
    for (const [name, field] of Object.entries(fields)) {
      // The object of the values could not have it: to set it sets something else.
      if (name === "__proto__") throw badInput("a field cannot be called __proto__; call it something else");
      const access = accessOf(name, field);
      this.#placed.set(name, { at, access });
      at += access.bytes;
    }
    if (at > mostBytes) throw badInput(`a struct of ${at} bytes is too large; the most are ${mostBytes}`);
    this.fields = fields;
    this.bytes = at;
  }

  read(view: DataView): StructValues<Fields> {
    const values: Record<string, unknown> = {};
    for (const [name, { at, access }] of this.#placed) values[name] = access.get(view, at);
    return values as StructValues<Fields>;
  }

  /** Writes the fields that are named in `values`. Throws 'bad-input' at one that does not fit. */
  write(view: DataView, values: Partial<StructValues<Fields>>): void {
    if (typeof values !== "object" || (values as unknown) === null) {
      throw badInput("a struct is set to an object of its fields, or of some of them");
    }
    for (const [name, value] of Object.entries(values)) {
      const placed = this.#placed.get(name);
      if (placed === undefined) {
        const names = [...this.#placed.keys()].join(", ");
        throw badInput(`this struct has no field ${JSON.stringify(name)}; it has ${names}`);
      }
      const { at, access } = placed;
      if (!access.accepts(value)) {
        throw badInput(`the field ${JSON.stringify(name)} holds ${access.expects}, not ${describe(value)}`);
      }
      access.set(view, at, value as never);
    }
  }
}

function accessOf(name: string, field: StructField): FieldAccess {
  if (typeof field === "string" && Object.hasOwn(scalars, field)) return scalars[field];
  if (typeof field === "object" && (field as unknown) !== null && Object.keys(field).length === 1) {
    if ("bytes" in field && isLength(field.bytes)) return bytesField(field.bytes);
    if ("text" in field && isLength(field.text)) return textField(field.text);
  }
  throw badInput(
    `the field ${JSON.stringify(name)} must be one of ${Object.keys(scalars).join(", ")}, { bytes: n } or ` +
      `{ text: n }`,
  );
}

function isLength(bytes: unknown): boolean {
  return Number.isInteger(bytes) && (bytes as number) >= 1 && (bytes as number) <= mostBytes;
}

function any(type: "number" | "boolean", bytes: number) {
  return { bytes, expects: `a ${type}`, accepts: (value: unknown) => typeof value === type };
}

function whole(least: number, most: number, bytes: number) {
  const accepts = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return { bytes, expects: `a whole number from ${least} to ${most}`, accepts };
}

function big(least: bigint, most: bigint) {
  const accepts = (value: unknown) => typeof value === "bigint" && value >= least && value <= most;
  return { bytes: 8, expects: `a bigint from ${String(least)} to ${String(most)}`, accepts };
}

function bytesField(bytes: number): FieldAccess {
  return {
    bytes,
    expects: `a Uint8Array of ${bytes} bytes`,
    accepts: (value) => value instanceof Uint8Array && value.length === bytes,
    get: (view, at) => bytesOf(view, at, bytes).slice(),
    set: (view, at, value: Uint8Array) => bytesOf(view, at, bytes).set(value),
  };
}

function textField(most: number): FieldAccess {
  return {
    bytes: lengthBytes + most,
    expects: `well-formed text of at most ${most} bytes`,
    accepts: (value) =>
      typeof value === "string" &&
      value.length <= most &&
      encoder.encode(value).length <= most &&
      !loneSurrogate.test(value),
    get: (view, at) => decoder.decode(bytesOf(view, at + lengthBytes, view.getUint32(at, true))),
    set(view, at, value: string) {
      const { written } = encoder.encodeInto(value, bytesOf(view, at + lengthBytes, most));
      view.setUint32(at, written, true);
    },
  };
}

function bytesOf(view: DataView, at: number, bytes: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, bytes);
}

function describe(value: unknown): string {
  if (typeof value === "bigint") return `the bigint ${String(value)}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  return value instanceof Uint8Array ? `${value.length} bytes` : "an object";
}

function badInput(message: string): LockstepError {
  return new LockstepError("bad-input", message);
}
