import { none, type AccessLog } from "./access-log.js";

/**
 * The writes of each key, grouped by whoever made them, in their own order. The groups of a key are from
 * `groupsOf[key]` to `groupsOf[key + 1]`; a group's writes are `rows` from `starts[group]` to
 * `starts[group + 1]`.
 */
export class WritesByKey {
  readonly groupsOf: Int32Array;
  readonly rows: Int32Array;
  readonly starts: number[] = [];
  /** By group: whose it is. */
  readonly maker: number[] = [];

  constructor(log: AccessLog, makers: Int32Array, makerCount: number) {
    const writes = Int32Array.from(log.written, (_, row) => row).filter((row) => log.written[row] !== none);
    const byMaker = sortedBy(writes, makers, makerCount);
    const keyCount = log.keys.length;
    this.rows = sortedBy(byMaker, log.key, keyCount);
    this.groupsOf = new Int32Array(keyCount + 1);
    this.rows.forEach((row, index) => {
      const former = this.rows[index - 1];
      if (former !== undefined && log.key[former] === log.key[row] && makers[former] === makers[row]) return;
      this.starts.push(index);
      this.maker.push(makers[row]!);
      this.groupsOf[log.key[row]! + 1] = this.maker.length;
    });
    this.starts.push(this.rows.length);
    for (let key = 0; key < keyCount; key++) {
      // A key that nobody wrote has no groups.
      this.groupsOf[key + 1] = Math.max(this.groupsOf[key]!, this.groupsOf[key + 1]!);
    }
  }
}

/** Those of one number stay in the order in which they were. */
function sortedBy(rows: Int32Array, numbers: Int32Array, count: number): Int32Array {
  const ends = new Int32Array(count + 1);
  for (const row of rows) ends[numbers[row]! + 1]!++;
  for (let number = 0; number < count; number++) ends[number + 1]! += ends[number]!;
  const sorted = new Int32Array(rows.length);
  for (const row of rows) sorted[ends[numbers[row]!]!++] = row;
  return sorted;
}
