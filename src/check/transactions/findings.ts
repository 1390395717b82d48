import { clientText, valueText, type Operation } from "../history.js";
import { inCallOrder } from "../in-call-order.js";
import type { Anomaly } from "../verdict.js";
import { shownMicroOperation, type MicroOperation } from "./micro-operations.js";
import { nameOf, phenomena, type Phenomenon } from "./phenomena.js";

/** Who wrote what was read. */
interface Writers {
  readonly operations: readonly Operation[];
  /** By version. */
  readonly versionValue: readonly unknown[];
  writerOf(version: number): number;
}

interface Finding {
  readonly phenomenon: Phenomenon;
  readonly anomaly: Anomaly;
}

/** What was found wrong: of each phenomenon the smallest instance. */
export class Findings {
  readonly #smallest = new Map<Phenomenon, Finding>();

  /** Of the smallest instance the length of its cycle, or of its operations; Infinity if none is known. */
  sizeOf(phenomenon: Phenomenon): number {
    const known = this.#smallest.get(phenomenon);
    return known ? sizeOf(known.anomaly) : Infinity;
  }

  has(phenomenon: Phenomenon): boolean {
    return this.#smallest.has(phenomenon);
  }

  add(phenomenon: Phenomenon, anomaly: Omit<Anomaly, "name">): void {
    const operations = inCallOrder(anomaly.operations);
    if (sizeOf({ ...anomaly, operations }) >= this.sizeOf(phenomenon)) return;
    this.#smallest.set(phenomenon, {
      phenomenon,
      anomaly: { ...anomaly, name: nameOf(phenomenon), operations },
    });
  }

  /** A transaction by itself, or with the writer of what it read, is wrong. */
  addRead(
    writers: Writers,
    phenomenon: Phenomenon,
    reader: number,
    version: number | undefined,
    micro: MicroOperation,
  ): void {
    if (this.has(phenomenon)) return;
    const { operations, versionValue } = writers;
    const writer = version === undefined ? -1 : writers.writerOf(version);
    const value = version === undefined ? undefined : valueText(versionValue[version]);
    const said: Partial<Record<Phenomenon, string>> = {
      G1a: `saw ${value}, whose transaction had failed`,
      G1b: `saw ${value}, which the transaction that wrote it wrote over again`,
      "garbage read": "saw what nobody ever wrote",
      "duplicate elements": "has an element twice that was appended once",
      "future read": `saw ${value}, which the transaction itself wrote only later`,
      "internal of writes": "does not agree with what the transaction itself wrote before",
      "internal of reads": "does not agree with what the transaction itself read before",
    };
    const client = clientText(operations[reader]!.client);
    this.add(phenomenon, {
      explanation: `${client}'s ${shownMicroOperation(micro)} ${said[phenomenon]}.`,
      operations: [operations[reader]!, ...(writer >= 0 && writer !== reader ? [operations[writer]!] : [])],
      key: micro[1],
    });
  }

  /** The most telling first. */
  get all(): readonly Finding[] {
    return phenomena.flatMap((phenomenon) => this.#smallest.get(phenomenon) ?? []);
  }
}

/** Those who only show what a cycle rests on do not count. */
function sizeOf({ cycle, operations }: Omit<Anomaly, "name">): number {
  return cycle?.length ?? operations.length;
}
