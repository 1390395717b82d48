import { describeBy } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import { fromStart, none, type AccessLog } from "./access-log.js";
import type { Finding } from "./finding.js";

/**
 * Convergence: when the writes of a key are over, all come to see the same. It is judged by the last reads:
 * of each client the last read of the key, if it began after every write of the key had returned. They must
 * see the same write, and one that was made, if any was. A key with a write of which nobody knows whether it
 * took effect says nothing: it may still do so.
 */
export function eventual(log: AccessLog, sources: Int32Array): Finding {
  const { size, key, written, invoked, returned } = log;
  // By key: the last write to return.
  const lastWrite = new Int32Array(log.keys.length).fill(-1);
  for (let row = 0; row < size; row++) {
    if (written[row] === none) continue;
    const last = lastWrite[key[row]!]!;
    if (last < 0 || returned[row]! > returned[last]!) lastWrite[key[row]!] = row;
  }
  const lastRead = new Map<number, number>();
  for (let row = 0; row < size; row++) {
    const last = lastWrite[key[row]!]!;
    if (log.read[row] === none || log.openWrite.has(key[row]!)) continue;
    if (last >= 0 && returned[last]! >= invoked[row]!) continue;
    const place = log.client[row]! * log.keys.length + key[row]!;
    const former = lastRead.get(place);
    if (former === undefined || returned[former]! < returned[row]!) lastRead.set(place, row);
  }
  // By key: the first of the last reads.
  const example = new Map<number, number>();
  for (const row of lastRead.values()) {
    if (sources[row] === none) continue;
    const other = example.get(key[row]!) ?? row;
    example.set(key[row]!, other);
    const write = lastWrite[key[row]!]!;
    if (sources[row] === fromStart && write >= 0) {
      const seen = describeBy(log.operation(row));
      const over = describeBy(log.operation(write));
      const explanation = `${seen} saw what was there at the start, when ${over} was over.`;
      return apart(log, explanation, [row, write]);
    }
    if (sources[row] === sources[other]) continue;
    const [one, two] = [describeBy(log.operation(other)), describeBy(log.operation(row))];
    const explanation = `All writes were over, and yet there were ${one} and ${two}, each its client's last.`;
    return apart(log, explanation, [other, row, sources[other]!, sources[row]!]);
  }
  return "valid";
}

function apart(log: AccessLog, explanation: string, rows: readonly number[]): Finding {
  const operations = inCallOrder(rows.filter((row) => row >= 0).map((row) => log.operation(row)));
  return { name: "no convergence", explanation, key: log.keyOf(rows[0]!), operations };
}
