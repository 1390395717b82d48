/** Writes ZooKeeper's own binary form: big-endian numbers, and a length before whatever has one. */
export class JuteWriter {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  int(value: number): this {
    this.#grow(4);
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
    return this;
  }

  long(value: bigint): this {
    this.#grow(8);
    this.#length = this.#bytes.writeBigInt64BE(value, this.#length);
    return this;
  }

  bool(value: boolean): this {
    this.#grow(1);
    this.#length = this.#bytes.writeInt8(value ? 1 : 0, this.#length);
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    this.#grow(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    this.int(length);
    this.#grow(length);
    this.#length += this.#bytes.write(value, this.#length);
    return this;
  }

  /** What was written; nothing may be written after it. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(by: number): void {
    const needed = this.#length + by;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads it; throws a RangeError where the bytes end too early. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#skip(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#skip(8));
  }

  bool(): boolean {
    return this.#bytes.readInt8(this.#skip(1)) !== 0;
  }

  /** A view, not a copy. What is null in Java is empty here. */
  buffer(): Buffer {
    const length = Math.max(0, this.int());
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  string(): string {
    return this.buffer().toString();
  }

  strings(): string[] {
    const count = Math.max(0, this.int());
    const found: string[] = [];
    for (let i = 0; i < count; i++) found.push(this.string());
    return found;
  }

  #skip(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new RangeError("a message ended too early");
    this.#at += length;
    return start;
  }
}
