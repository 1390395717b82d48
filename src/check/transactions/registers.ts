import { valueText } from "../history.js";
import type { MicroOperation } from "./micro-operations.js";
import type { Observations } from "./observations.js";

const none = -1;
/** Of each pair of reads something may follow; but not where there would be millions of pairs. */
const fewReads = 64;

/**
 * Takes down the reads of registers, and what they say of the order of versions, which is little: nothing is
 * older than the initial version, and what a transaction read is older than what it wrote there then.
 */
export function observeRegisters(observations: Observations): void {
  const { micro, operations, keys } = observations;
  // By keys: who touched it last, and what that one wrote and read there.
  const toucher = new Int32Array(keys.length).fill(none);
  const written = new Int32Array(keys.length);
  const seen = new Int32Array(keys.length);
  const predecessor = new Int32Array(observations.writeCount).fill(none);
  for (let transaction = 0; transaction < operations.length; transaction++) {
    let version = observations.firstVersion[transaction]!;
    const isAnswered = operations[transaction]!.outcome === "ok";
    for (const each of isAnswered ? micro[transaction]! : []) {
      const key = observations.keyNumber(each[1]);
      if (toucher[key] !== transaction) {
        toucher[key] = transaction;
        written[key] = seen[key] = none;
      }
      if (each[0] === "r") {
        const read = readOf(observations, transaction, each, written[key]!, seen[key]!);
        if (written[key] === none && read !== none) seen[key] = read;
      } else {
        predecessor[version] = seen[key]!;
        written[key] = version++;
      }
    }
    observations.firstRead[transaction + 1] = observations.readVersion.length;
  }
  addOrder(observations, predecessor);
}

/** Gives the version that was read; none if it cannot be, or is the reader's own. */
function readOf(
  observations: Observations,
  reader: number,
  micro: MicroOperation,
  written: number,
  seen: number,
): number {
  const { findings } = observations;
  const key = observations.keyNumber(micro[1]);
  const value = micro[2] ?? null;
  const version = value === null ? observations.initialVersion(key) : observations.versionOf(key, value);
  if (version === undefined) {
    findings.addRead(observations, "garbage read", reader, undefined, micro);
    return none;
  }
  if (version === written) return none;
  observations.see(reader, version, micro);
  if (written !== none) {
    findings.addRead(observations, "internal of writes", reader, undefined, micro);
    return none;
  }
  if (observations.writerOf(version) === reader) {
    findings.addRead(observations, "future read", reader, version, micro);
    return none;
  }
  if (seen !== none && seen !== version) {
    findings.addRead(observations, "internal of reads", reader, undefined, micro);
  }
  observations.addRead(reader, version, micro);
  return version;
}

function addOrder(observations: Observations, predecessor: Int32Array): void {
  const { tookPlace, versionWriter, versionKey } = observations;
  for (let version = 0; version < predecessor.length; version++) {
    const isNever = observations.isIntermediate(version) || tookPlace[versionWriter[version]!] === 0;
    if (isNever) continue;
    const initial = observations.initialVersion(versionKey[version]!);
    observations.addOlder(initial, version);
    const older = predecessor[version]!;
    if (older !== none && older !== initial) observations.addOlder(older, version);
  }
  addSeenTogether(observations);
  findCircle(observations, predecessor);
}

/**
 * Who reads from a transaction sees all that it wrote, or something newer: so its version of a key is older
 * than the one that is read. That is so from "read-atomic" on, and used for antidependencies only, which no
 * weaker level forbids.
 */
function addSeenTogether(observations: Observations): void {
  const { firstRead, readVersion, operations } = observations;
  for (let reader = 0; reader < operations.length; reader++) {
    if (firstRead[reader + 1]! - firstRead[reader]! > fewReads) continue;
    for (let at = firstRead[reader]!; at < firstRead[reader + 1]!; at++) {
      const version = readVersion[at]!;
      const key = observations.keyOfVersion(version);
      for (let other = firstRead[reader]!; other < firstRead[reader + 1]!; other++) {
        const writer = observations.writerOf(readVersion[other]!);
        const older = writer < 0 ? none : observations.installedBy(writer, key);
        const isOther = older !== none && older !== version && observations.writerOf(version) >= 0;
        if (isOther) observations.addOlder(older, version);
      }
    }
  }
}

/** Each version has one predecessor at most, so following them ends, or comes round. */
function findCircle(observations: Observations, predecessor: Int32Array): void {
  const { findings, operations, keys, versionKey, versionWriter, versionValue } = observations;
  const walkOf = new Int32Array(predecessor.length).fill(none);
  for (let start = 0; start < predecessor.length; start++) {
    let version = start;
    for (; version !== none && version < walkOf.length && walkOf[version] === none;) {
      walkOf[version] = start;
      version = predecessor[version]!;
    }
    if (version === none || version >= walkOf.length || walkOf[version] !== start) continue;
    const circle = [version];
    for (let next = predecessor[version]!; next !== version; next = predecessor[next]!) circle.push(next);
    const values = circle.map((each) => valueText(versionValue[each]));
    findings.add("cyclic versions", {
      explanation:
        `Each of ${values.join(", ")} was written by who had read the next, ` +
        "and the last by who had read the first.",
      operations: circle.map((each) => operations[versionWriter[each]!]!),
      key: keys[versionKey[version]!],
    });
  }
}
