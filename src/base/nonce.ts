import { randomFillSync } from "node:crypto";

const alphabet = "0123456789abcdefghijklmnopqrstuv";
const length = 16;
// Random bytes are drawn by the pageful: a system call for each nonce would cost more than the rest of a
// lock.
const pool = new Uint8Array(4096);
let used = pool.length;

/**
 * Sixteen characters of five random bits each: unique for all practical purposes, and of one fixed length.
 */
export function nonce(): string {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let text = "";
  for (let i = 0; i < length; i++) text += alphabet.charAt((pool[used++] as number) & 31);
  return text;
}
