import { clientText, valueText } from "../history.js";
import { isSame } from "../identity.js";
import { shownMicroOperation, type MicroOperation } from "./micro-operations.js";
import type { Observations } from "./observations.js";

/**
 * Takes down the reads of lists. A list only grows, so each list that was read of a key is a prefix of the
 * longest one, and that one is the order of its versions. What is not in the longest was appended after all
 * that is: else it would stand there.
 */
export function observeLists(observations: Observations): void {
  const orders = observations.keys.map(() => new ListOrder());
  const { micro, operations, firstRead, firstVersion, readVersion } = observations;
  for (let reader = 0; reader < operations.length; reader++) {
    if (operations[reader]!.outcome !== "ok") continue;
    for (const each of micro[reader]!) {
      if (each[0] === "r") orders[observations.keyNumber(each[1])]!.offer(reader, each);
    }
  }
  orders.forEach((order, key) => order.number(observations, key));
  const own = new OwnSteps(observations.keys.length);
  for (let transaction = 0; transaction < operations.length; transaction++) {
    let version = firstVersion[transaction]!;
    const isAnswered = operations[transaction]!.outcome === "ok";
    for (const each of isAnswered ? micro[transaction]! : []) {
      const key = observations.keyNumber(each[1]);
      own.touch(transaction, key);
      if (each[0] === "r") addListRead(observations, orders[key]!, own, transaction, each);
      else own.appended[key]!.push(version++);
    }
    firstRead[transaction + 1] = readVersion.length;
  }
  addOrders(observations, orders);
}

/** What a transaction did to each key so far. */
class OwnSteps {
  readonly appended: number[][];
  /** The version that it read of others; -1 as long as it read none. */
  readonly seen: Int32Array;
  readonly #toucher: Int32Array;

  constructor(keys: number) {
    this.appended = Array.from({ length: keys }, () => []);
    this.seen = new Int32Array(keys);
    this.#toucher = new Int32Array(keys).fill(-1);
  }

  touch(transaction: number, key: number): void {
    if (this.#toucher[key] === transaction) return;
    this.#toucher[key] = transaction;
    this.appended[key]!.length = 0;
    this.seen[key] = -1;
  }
}

/** The longest list that was read of a key, and its elements as versions; -1 is what nobody appended. */
class ListOrder {
  longest: readonly unknown[] = [];
  versions: readonly number[] = [];
  /** Whether reads contradict each other, so that nothing is known of the order. */
  isBroken = false;
  #reader = -1;
  #micro: MicroOperation | undefined;

  offer(reader: number, micro: MicroOperation): void {
    const list = listOf(micro);
    if (list.length <= this.longest.length) return;
    this.longest = list;
    this.#reader = reader;
    this.#micro = micro;
  }

  number(observations: Observations, key: number): void {
    if (this.#micro === undefined) return;
    observations.longestReader[key] = this.#reader;
    this.versions = numbered(observations, this.#reader, this.#micro);
    if (new Set(this.versions).size < this.versions.length) this.isBroken = true;
  }

  isPrefix(list: readonly unknown[]): boolean {
    const { longest } = this;
    if (list === longest) return true;
    if (list.length > longest.length) return false;
    for (let place = 0; place < list.length; place++) {
      if (list[place] !== longest[place] && !isSame(list[place], longest[place])) return false;
    }
    return true;
  }

  /** The versions of a list that was read. */
  versionsOf(observations: Observations, reader: number, micro: MicroOperation): readonly number[] {
    const list = listOf(micro);
    if (this.isPrefix(list)) return this.versions;
    const { findings, operations } = observations;
    this.isBroken = true;
    findings.add("incompatible order", {
      explanation:
        `${clientText(operations[reader]!.client)}'s ${shownMicroOperation(micro)} and ` +
        `${clientText(operations[this.#reader]!.client)}'s ${shownMicroOperation(this.#micro!)}: ` +
        "neither list can have grown from the other.",
      operations: [operations[reader]!, operations[this.#reader]!],
      key: micro[1],
    });
    return numbered(observations, reader, micro);
  }
}

function listOf(micro: MicroOperation): readonly unknown[] {
  return (micro[2] ?? []) as readonly unknown[];
}

/** What the elements are as versions, and what they say by themselves. */
function numbered(observations: Observations, reader: number, micro: MicroOperation): number[] {
  const { findings } = observations;
  const key = observations.keyNumber(micro[1]);
  const versions = listOf(micro).map((value) => observations.versionOf(key, value) ?? -1);
  for (const version of versions) {
    if (version >= 0) observations.see(reader, version, micro);
    else findings.addRead(observations, "garbage read", reader, undefined, micro);
  }
  const isTwice = versions.some((version, place) => version >= 0 && versions.indexOf(version) < place);
  if (isTwice) findings.addRead(observations, "duplicate elements", reader, undefined, micro);
  return versions;
}

function addListRead(
  observations: Observations,
  order: ListOrder,
  own: OwnSteps,
  reader: number,
  micro: MicroOperation,
): void {
  const { findings } = observations;
  const key = observations.keyNumber(micro[1]);
  const versions = order.versionsOf(observations, reader, micro);
  const appended = own.appended[key]!;
  const length = listOf(micro).length - appended.length;
  if (!appended.every((version, place) => versions[length + place] === version)) {
    findings.addRead(observations, "internal of writes", reader, undefined, micro);
    return;
  }
  const last = length === 0 ? observations.initialVersion(key) : versions[length - 1]!;
  if (last < 0) return;
  if (observations.writerOf(last) === reader) {
    findings.addRead(observations, "future read", reader, last, micro);
    return;
  }
  const seen = own.seen[key]!;
  if (seen >= 0 && seen !== last) {
    findings.addRead(observations, "internal of reads", reader, undefined, micro);
  }
  own.seen[key] = last;
  observations.addRead(reader, last, micro);
}

/** The pairs of versions that follow each other, once all reads are known. */
function addOrders(observations: Observations, orders: readonly ListOrder[]): void {
  const { versionKey, versionWriter, tookPlace } = observations;
  const isPlaced = new Uint8Array(observations.writeCount);
  const lastPlaced = orders.map((order, key) => {
    const versions = order.versions.filter((version) => version >= 0);
    for (const version of versions) isPlaced[version] = 1;
    return order.isBroken ? -1 : addOrder(observations, key, versions);
  });
  for (let version = 0; version < isPlaced.length; version++) {
    const last = lastPlaced[versionKey[version]!]!;
    const isNever = observations.isIntermediate(version) || tookPlace[versionWriter[version]!] === 0;
    if (isPlaced[version] === 0 && last >= 0 && !isNever) observations.addOlder(last, version);
  }
}

/** Each version is older than the next of another writer. Gives the last of all. */
function addOrder(observations: Observations, key: number, versions: readonly number[]): number {
  const { findings, operations, versionValue } = observations;
  const reader = operations[observations.longestReader[key]!]!;
  // The latest versions that are all of one writer.
  let latest = [observations.initialVersion(key)];
  let failed = -1;
  const isPlaced = new Set<number>();
  for (const version of versions) {
    const writer = observations.writerOf(version);
    if (observations.hasFailed(writer)) {
      failed = version;
      continue;
    }
    if (failed >= 0) {
      findings.add("dirty update", {
        explanation:
          `${clientText(operations[writer]!.client)} appended ${valueText(versionValue[version])} ` +
          `to a list that held ${valueText(versionValue[failed])}, whose transaction had failed.`,
        operations: [operations[observations.writerOf(failed)]!, operations[writer]!, reader],
        key: observations.keys[key],
      });
    }
    const own = observations.previousOwn[version]!;
    if (own >= 0 && !isPlaced.has(own)) {
      findings.add("incompatible order", {
        explanation:
          `${clientText(operations[writer]!.client)} appended ${valueText(versionValue[own])} before ` +
          `${valueText(versionValue[version])}, and the list does not hold them so.`,
        operations: [operations[writer]!, reader],
        key: observations.keys[key],
      });
    }
    isPlaced.add(version);
    if (writer !== observations.writerOf(latest[0]!)) {
      for (const older of latest) observations.addOlder(older, version);
      latest = [];
    }
    latest.push(version);
  }
  return latest.at(-1)!;
}
