import { none, type AccessLog } from "./access-log.js";

/** From the answer of some read on, a client has seen what another did before this was invoked. */
interface Learnt {
  readonly since: number;
  readonly until: number;
}

/**
 * What the clients have seen so far, by their own reads and writes, while the history goes by. What a client
 * did counts for what it does after the answer.
 *
 * Of two writes of a key one is older if one client made first the one and then the other; or if the client
 * that looks made the other, when it had seen the one, or a later write of the same maker. That later write
 * is one of the same key; with `acrossKeys` of any.
 */
export class ClientView {
  readonly #log: AccessLog;
  readonly #sources: Int32Array;
  readonly #acrossKeys: boolean;
  readonly #ownWrites = new Map<number, number[]>();
  readonly #writesRead = new Map<number, Map<number, number>>();
  readonly #writesReadOfKey = new Map<number, Map<number, number[]>>();
  readonly #learnt = new Map<number, Learnt[]>();
  readonly #firstRead = new Map<number, number>();

  constructor(log: AccessLog, sources: Int32Array, acrossKeys: boolean) {
    this.#log = log;
    this.#sources = sources;
    this.#acrossKeys = acrossKeys;
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

  /** One of these writes of the same key to which the first is older in the eyes of the client. */
  newerOf(client: number, first: number, writes: readonly number[]): number | undefined {
    const isLookedAt = new Set<number>();
    return writes.find((write) => {
      if (write === first) return false;
      for (let second = write; second !== first;) {
        if (isLookedAt.has(second)) return false;
        isLookedAt.add(second);
        if (this.#isOlder(client, first, second)) return true;
        // What reads and writes at once read first.
        const source = this.#sources[second]!;
        const isOwn = this.#log.client[second] === client;
        if (!isOwn || source < 0 || this.#log.isBeforeInSession(source, second)) return false;
        second = source;
      }
      return true;
    });
  }

  #isOlder(client: number, first: number, second: number): boolean {
    const { invoked, returned, size } = this.#log;
    if (this.#log.isBeforeInSession(first, second)) return true;
    if (this.#log.client[second] !== client) return false;
    const readAt = this.#firstRead.get(client * size + first);
    if (readAt !== undefined && readAt < invoked[second]!) return true;
    const learnt = this.#learnt.get(this.#placeOfLearnt(client, first)) ?? [];
    let low = 0;
    let high = learnt.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (learnt[middle]!.until > returned[first]!) high = middle;
      else low = middle + 1;
    }
    return low < learnt.length && learnt[low]!.since < invoked[second]!;
  }

  /** Of writes of one client: those after which it made no other one of these. */
  #latest(writes: number[] | undefined, write: number): number[] {
    if (!writes) return [write];
    const { invoked, returned } = this.#log;
    let hasFormer = false;
    for (const each of writes) {
      if (each === write || returned[write]! < invoked[each]!) return writes;
      hasFormer ||= returned[each]! < invoked[write]!;
    }
    const latest = hasFormer ? writes.filter((each) => returned[each]! >= invoked[write]!) : writes;
    latest.push(write);
    return latest;
  }

  #learn(row: number, source: number): void {
    const { client, invoked, returned, size } = this.#log;
    const since = returned[row]!;
    const firstRead = client[row]! * size + source;
    if (!this.#firstRead.has(firstRead)) this.#firstRead.set(firstRead, since);
    const place = this.#placeOfLearnt(client[row]!, source);
    const learnt = this.#learnt.get(place);
    const until = invoked[source]!;
    if (!learnt) this.#learnt.set(place, [{ since, until }]);
    else if (learnt.at(-1)!.until < until) learnt.push({ since, until });
  }

  #placeOfKey(row: number): number {
    return this.#log.client[row]! * this.#log.keys.length + this.#log.key[row]!;
  }

  #placeOfLearnt(client: number, write: number): number {
    const { clientCount, keys } = this.#log;
    const pair = client * clientCount + this.#log.client[write]!;
    return this.#acrossKeys ? pair : pair * keys.length + this.#log.key[write]!;
  }
}

function innerMap<Value>(maps: Map<number, Map<number, Value>>, place: number): Map<number, Value> {
  let map = maps.get(place);
  if (!map) maps.set(place, (map = new Map<number, Value>()));
  return map;
}
