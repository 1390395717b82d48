import { hostname } from "node:os";
import { connect } from "../connect.js";
import type { Lockstep } from "../lockstep.js";
import { addressOf } from "./address.js";

/** What every command takes. */
export interface StoreOptions {
  on?: string;
}

/** Shown by `lockstep status`; longer command lines are cut. */
const longestLabelBytes = 200;

/** Who this process is, to people who ask who holds what: `host:pid`, and the command it runs. */
export function labelOf(command: readonly string[]): string {
  const words = [`${hostname()}:${process.pid}`, ...command].join(" ");
  // By way of bytes: what is no text, such as half of a surrogate pair, becomes a replacement character.
  const bytes = Buffer.from(words);
  const cut = bytes.length > longestLabelBytes;
  const text = cut ? `${bytes.toString("utf8", 0, longestLabelBytes)}…` : bytes.toString();
  // eslint-disable-next-line no-control-regex -- a label is shown in a table of lines
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ");
}

/** Connects, does the work, and closes whatever became of it. */
export async function withClient<T>(
  options: StoreOptions & { ttl?: number },
  work: (lockstep: Lockstep) => Promise<T>,
  label = labelOf([]),
): Promise<T> {
  const ttl = options.ttl === undefined ? {} : { ttlMs: options.ttl };
  const lockstep = await connect(addressOf(options.on), { label, ...ttl });
  try {
    return await work(lockstep);
  } finally {
    // What the work came to stands, though the store cannot be told that we go; it notices by itself.
    await lockstep.close().catch(() => undefined);
  }
}
