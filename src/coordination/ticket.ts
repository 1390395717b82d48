import type { Entry } from "../store/change.js";

/** What a contender writes into its key in a queue: for people to read, never to decide by. */
export interface Ticket {
  /** Wall-clock milliseconds at which it joined the queue. */
  readonly since: number;
  /** What a candidate proclaims. */
  readonly value?: string;
}

export function encodeTicket(ticket: Ticket): Uint8Array {
  return Buffer.from(JSON.stringify(ticket));
}

export function decodeTicket(entry: Entry): Ticket {
  try {
    const ticket: unknown = JSON.parse(Buffer.from(entry.value).toString());
    if (typeof ticket === "object" && ticket !== null) return { since: 0, ...ticket };
  } catch {
    // Not ours, or of another version: it is still a place in the queue, only without a story.
  }
  return { since: 0 };
}
