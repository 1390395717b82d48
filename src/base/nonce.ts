import { randomFillSync } from "node:crypto";

const length = 10;
// Random bytes are drawn by the pageful: a system call for each nonce would cost more than the rest of a
// lock.
const pool = Buffer.alloc(4096);
let used = pool.length;

/** Twenty hexadecimal digits: unique for all practical purposes, and of one fixed length. */
export function nonce(): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.toString("hex", used, (used += length));
}
