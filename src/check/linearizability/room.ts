/**
 * How many words of 32 bits a search may keep in mind: a quarter of a gigabyte, and beside that about as much
 * as the operations themselves take. Most of it is outside of the heap.
 */
export function roomFor(operations: number): number {
  return 2 ** 26 + 64 * operations;
}
