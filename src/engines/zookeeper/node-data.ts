import type { Entry, Revision } from "../../store/change.js";
import type { NodeFound } from "./client/protocol.js";

/** What was found of a node that is there. */
export type FoundData = Extract<NodeFound, { kind: "data" }>;

/** The first byte of a node's data: the value follows at once, or after the revision that made the key. */
const plain = 0;
const madeAgain = 1;

/**
 * The data of a key's node. A key that goes over to another session, or to none, is a new node in ZooKeeper;
 * its data says then when the key itself was made.
 */
export function nodeData(value: Uint8Array, created: Revision | undefined): Buffer {
  const data = Buffer.allocUnsafe((created === undefined ? 1 : 9) + value.length);
  data[0] = created === undefined ? plain : madeAgain;
  if (created !== undefined) data.writeBigInt64BE(created, 1);
  data.set(value, data.length - value.length);
  return data;
}

export function entryFrom(key: string, { data, stat }: FoundData): Entry {
  const remembered = rememberedBirth(data);
  return {
    key,
    // A copy: the message that it came in is not to stay in memory for it.
    value: new Uint8Array(data.subarray(remembered === undefined ? 1 : 9)),
    created: remembered ?? stat.created,
    modified: stat.modified,
    session: stat.owner === 0n ? undefined : sessionName(stat.owner),
  };
}

/** When the key was made, where its node was made later. */
export function rememberedBirth(data: Buffer): Revision | undefined {
  return data[0] === madeAgain ? data.readBigInt64BE(1) : undefined;
}

/** A session goes by the number that ZooKeeper gave it, so each node says by itself whose it is. */
export function sessionName(id: bigint): string {
  return BigInt.asUintN(64, id).toString(16).padStart(16, "0");
}

/** Whether any session can go by this name. */
export function isSessionName(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}
