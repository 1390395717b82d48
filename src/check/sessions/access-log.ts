import type { Client, History, Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import { refused, type Model } from "../model.js";

/** In place of a writer: the value was there from the start. */
export const fromStart = -1;
/** In place of a writer or a value: there is none. */
export const none = -2;

/**
 * Who read and wrote what, in columns: an access is a row. Only what has an effect is here. An operation
 * that failed has none; of an unknown one only its write counts, and only if somebody may have read it. Each
 * value of each key has a number.
 */
export class AccessLog {
  readonly operations: Operation[] = [];
  readonly client: Int32Array;
  readonly clientCount: number;
  readonly key: Int32Array;
  readonly keys: unknown[] = [];
  readonly invoked: Float64Array;
  readonly returned: Float64Array;
  /** The value that was read, or `none`. */
  readonly read: Int32Array;
  /** The value that was written, or `none`. */
  readonly written: Int32Array;
  /** By value: whether it may be what a key holds at the start. */
  readonly isInitial: boolean[] = [];
  /** By value: a write of it that failed. */
  readonly failedWrite = new Map<number, Operation>();
  /** By key: a write of it that may have taken effect later, or never. */
  readonly openWrite = new Map<number, Operation>();
  /** One that was more than to read or to write, if there is any: nothing can be said then. */
  readonly unreadable: Operation | undefined;
  #byReturn: Int32Array | undefined;

  constructor(history: History, model: Model) {
    const values = new ValueNumbers();
    const rows: { operation: Operation; key: number; read: number; written: number }[] = [];
    const isRead = new Set<number>();
    for (const operation of history.operations) {
      const access = model.access?.(operation);
      if (!access && operation.outcome !== "fail") this.unreadable ??= operation;
      if (!access?.read && !access?.write) continue;
      const key = this.#numberOfKey(values, access.key);
      const written = access.write ? values.of(key, access.write.value) : none;
      if (operation.outcome === "fail") {
        if (written !== none) this.failedWrite.set(written, operation);
        continue;
      }
      const isOk = operation.outcome === "ok";
      if (!isOk && written !== none) this.openWrite.set(key, operation);
      const read = isOk && access.read ? values.of(key, access.read.value) : none;
      if (read !== none && !isRead.has(read)) {
        isRead.add(read);
        this.isInitial[read] = model.step(model.init, operation) !== refused;
      }
      if (read !== none || written !== none) rows.push({ operation, key, read, written });
    }
    const counted = rows.filter(
      ({ operation, written }) => operation.outcome === "ok" || isRead.has(written),
    );
    this.key = Int32Array.from(counted, ({ key }) => key);
    this.read = Int32Array.from(counted, ({ read }) => read);
    this.written = Int32Array.from(counted, ({ written }) => written);
    this.operations = counted.map(({ operation }) => operation);
    this.invoked = Float64Array.from(this.operations, ({ invoked }) => invoked);
    this.returned = Float64Array.from(this.operations, ({ returned }) => returned);
    const clients = new Map<Client, number>();
    this.client = Int32Array.from(this.operations, ({ client }) => numberIn(clients, client));
    this.clientCount = clients.size;
  }

  get size(): number {
    return this.operations.length;
  }

  /** The accesses in the order of their answers. */
  get byReturn(): Int32Array {
    const { returned } = this;
    // Infinity less Infinity is no number.
    this.#byReturn ??= Int32Array.from(returned, (_, row) => row).sort((a, b) =>
      returned[a]! < returned[b]! ? -1 : returned[a]! > returned[b]! ? 1 : 0,
    );
    return this.#byReturn;
  }

  /** Whether the client did the first before the second. */
  isBeforeInSession(first: number, second: number): boolean {
    return this.client[first] === this.client[second] && this.returned[first]! < this.invoked[second]!;
  }

  operation(row: number): Operation {
    return this.operations[row]!;
  }

  keyOf(row: number): unknown {
    return this.keys[this.key[row]!];
  }

  #numberOfKey(values: ValueNumbers, key: unknown): number {
    const number = numberIn(values.keys, identity(key));
    if (number === this.keys.length) this.keys.push(key);
    return number;
  }
}

/** Gives numbers to keys, and to values of keys. */
class ValueNumbers {
  readonly keys = new Map<Identity, number>();
  readonly #ofKey: Map<Identity, number>[] = [];
  #count = 0;

  of(key: number, value: unknown): number {
    const values = (this.#ofKey[key] ??= new Map<Identity, number>());
    const valueIdentity = identity(value);
    const known = values.get(valueIdentity);
    if (known !== undefined) return known;
    values.set(valueIdentity, this.#count);
    return this.#count++;
  }
}

function numberIn<Key>(numbers: Map<Key, number>, key: Key): number {
  const known = numbers.get(key);
  if (known !== undefined) return known;
  const number = numbers.size;
  numbers.set(key, number);
  return number;
}
