import { none, type AccessLog } from "./access-log.js";

/** From the answer of some read on, a client has seen what another did before this was invoked. */
interface Learnt {
  readonly since: number;
  readonly until: number;
}

/**
 * What the clients have seen so far, by their own reads and writes, while the history goes by. What a client
 * did counts for what it does after the answer.
 */
export class ClientView {
  readonly #log: AccessLog;
  readonly #sources: Int32Array;
  readonly #ownWrites = new Map<number, readonly number[]>();
  readonly #writesRead = new Map<number, Map<number, number>>();
  readonly #writesReadOfKey = new Map<number, Map<number, readonly number[]>>();
  readonly #learnt = new Map<number, Learnt[]>();
  readonly #firstRead = new Map<number, number>();

  constructor(log: AccessLog, sources: Int32Array) {
    this.#log = log;
    this.#sources = sources;
  }

  /** The access has got its answer. */
  end(row: number): void {
    const { client, written } = this.#log;
    const ofKey = this.#placeOfKey(row);
    if (written[row] !== none) this.#ownWrites.set(ofKey, this.#latest(this.#ownWrites.get(ofKey), row));
    const source = this.#sources[row]!;
    if (source < 0) return;
    const maker = client[source]!;
    const read = innerMap(this.#writesRead, client[row]!);
    read.set(maker, Math.max(source, read.get(maker) ?? -1));
    const readOfKey = innerMap(this.#writesReadOfKey, ofKey);
    readOfKey.set(maker, this.#latest(readOfKey.get(maker), source));
    this.#learn(row, source);
  }

  /** The client's latest writes of the key of this access, before it: several, if it made them at once. */
  ownWrites(row: number): readonly number[] {
    return this.#ownWrites.get(this.#placeOfKey(row)) ?? [];
  }

  /** By client: the one of its writes that began last, of those that this access's client read before. */
  writesRead(row: number): ReadonlyMap<number, number> | undefined {
    return this.#writesRead.get(this.#log.client[row]!);
  }

  /** By client: the latest of its writes of the key of this access that this access's client read before. */
  writesReadOfKey(row: number): ReadonlyMap<number, readonly number[]> | undefined {
    return this.#writesReadOfKey.get(this.#placeOfKey(row));
  }

  /** Whether the client had seen the first write before it made the second, or else one client made both. */
  isOlder(client: number, first: number, second: number): boolean {
    const { invoked, returned, size } = this.#log;
    if (this.#log.isBeforeInSession(first, second)) return true;
    if (this.#log.client[second] !== client) return false;
    const readAt = this.#firstRead.get(client * size + first);
    if (readAt !== undefined && readAt < invoked[second]!) return true;
    const learnt = this.#learnt.get(this.#placeOfPair(client, first)) ?? [];
    let low = 0;
    let high = learnt.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (learnt[middle]!.until > returned[first]!) high = middle;
      else low = middle + 1;
    }
    if (low < learnt.length && learnt[low]!.since < invoked[second]!) return true;
    // What reads and writes at once read first.
    const source = this.#sources[second]!;
    if (source < 0 || this.#log.isBeforeInSession(source, second)) return false;
    return source === first || this.isOlder(client, first, source);
  }

  /** Of writes of one client: those after which it made no other one of these. */
  #latest(writes: readonly number[] | undefined, write: number): readonly number[] {
    if (!writes) return [write];
    const isOver = writes.some((each) => each === write || this.#log.isBeforeInSession(write, each));
    if (isOver) return writes;
    return [...writes.filter((each) => !this.#log.isBeforeInSession(each, write)), write];
  }

  #learn(row: number, source: number): void {
    const { client, invoked, returned, size } = this.#log;
    const since = returned[row]!;
    const firstRead = client[row]! * size + source;
    if (!this.#firstRead.has(firstRead)) this.#firstRead.set(firstRead, since);
    const pair = this.#placeOfPair(client[row]!, source);
    const learnt = this.#learnt.get(pair);
    const until = invoked[source]!;
    if (!learnt) this.#learnt.set(pair, [{ since, until }]);
    else if (learnt.at(-1)!.until < until) learnt.push({ since, until });
  }

  #placeOfKey(row: number): number {
    return this.#log.client[row]! * this.#log.keys.length + this.#log.key[row]!;
  }

  #placeOfPair(client: number, write: number): number {
    return client * this.#log.clientCount + this.#log.client[write]!;
  }
}

function innerMap<Value>(maps: Map<number, Map<number, Value>>, place: number): Map<number, Value> {
  let map = maps.get(place);
  if (!map) maps.set(place, (map = new Map<number, Value>()));
  return map;
}
