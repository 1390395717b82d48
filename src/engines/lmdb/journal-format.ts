import { crc32 } from "node:zlib";
import type { Entry, Revision } from "../../store/change.js";
import { decodeEntry, encodeEntry } from "./records.js";

/** The format that this version writes, and the newest that it can read. */
export const journalFormat = 1;

const header = /^lockstep journal (\d+)\n/;

/** What a journal tells: what became of a key, or a ceiling above every revision handed out. */
export type JournalRecord =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: Revision }
  | { readonly kind: "ceiling"; readonly revision: Revision }
  /** The last record of a base: it holds all that there was at this revision. */
  | { readonly kind: "complete"; readonly revision: Revision };

export type Damage = "foreign" | "newer" | "damaged";

const kinds = ["put", "delete", "ceiling", "complete"] as const;

export function encodeHeader(): Buffer {
  return Buffer.from(`lockstep journal ${journalFormat}\n`);
}

/** One frame: its length, its checksum, and records that count all together or not at all. */
export function encodeFrame(records: readonly JournalRecord[]): Buffer {
  const payload = Buffer.concat(records.flatMap(encodeRecord));
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([frame, payload]);
}

function encodeRecord(record: JournalRecord): Buffer[] {
  const key = Buffer.from(
    record.kind === "put" ? record.entry.key : record.kind === "delete" ? record.key : "",
  );
  const entry = record.kind === "put" ? encodeEntry(record.entry) : Buffer.alloc(0);
  const head = Buffer.alloc(15);
  head[0] = kinds.indexOf(record.kind);
  head.writeDoubleBE("revision" in record ? Number(record.revision) : 0, 1);
  head.writeUInt16BE(key.length, 9);
  head.writeUInt32BE(entry.length, 11);
  return [head, key, entry];
}

/** How long the header is; or what is wrong with it. */
export function decodeHeader(bytes: Buffer): number | Damage {
  // A crash may come before the header is whole, or when no more than its length has reached the disk.
  if (bytes.length < encodeHeader().length && encodeHeader().includes(bytes)) return bytes.length;
  if (bytes.every((byte) => byte === 0)) return bytes.length;
  const found = header.exec(bytes.toString("latin1", 0, 40));
  if (!found) return "foreign";
  return Number(found[1]) > journalFormat ? "newer" : found[0].length;
}

/**
 * The records of a journal. What a crash tore off its end was never acknowledged and is passed over; a bad
 * frame that a good one follows was not torn but damaged.
 */
export function decodeJournal(bytes: Buffer): JournalRecord[] | Damage {
  const start = decodeHeader(bytes);
  if (typeof start === "string") return start;
  const records: JournalRecord[] = [];
  let at = start;
  for (let frame = frameAt(bytes, at); frame; frame = frameAt(bytes, at)) {
    decodeRecords(frame, records);
    at += 8 + frame.length;
  }
  for (let later = at + 1; later < bytes.length - 8; later++) if (frameAt(bytes, later)) return "damaged";
  return records;
}

/** The payload of the frame that begins here, if one does. */
function frameAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + 8 > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  if (length === 0 || at + 8 + length > bytes.length) return undefined;
  const payload = bytes.subarray(at + 8, at + 8 + length);
  return crc32(payload) === bytes.readUInt32BE(at + 4) ? payload : undefined;
}

function decodeRecords(payload: Buffer, records: JournalRecord[]): void {
  for (let at = 0; at < payload.length;) {
    const revision = BigInt(payload.readDoubleBE(at + 1));
    const keyAt = at + 15;
    const entryAt = keyAt + payload.readUInt16BE(at + 9);
    const end = entryAt + payload.readUInt32BE(at + 11);
    const key = payload.toString("utf8", keyAt, entryAt);
    const kind = kinds[payload[at] as number];
    if (kind === "put") records.push({ kind, entry: decodeEntry(key, payload.subarray(entryAt, end)) });
    else if (kind === "delete") records.push({ kind, key, revision });
    else if (kind === "ceiling" || kind === "complete") records.push({ kind, revision });
    at = end;
  }
}
