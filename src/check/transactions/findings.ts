import { clientText, type Operation } from "../history.js";
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

  /** How many operations the smallest instance has that is known; Infinity if none is. */
  sizeOf(phenomenon: Phenomenon): number {
    return this.#smallest.get(phenomenon)?.anomaly.operations.length ?? Infinity;
  }

  has(phenomenon: Phenomenon): boolean {
    return this.#smallest.has(phenomenon);
  }

  add(phenomenon: Phenomenon, anomaly: Omit<Anomaly, "name">): void {
    const operations = inOrder(anomaly.operations);
    if (operations.length >= this.sizeOf(phenomenon)) return;
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
    const value = version === undefined ? undefined : JSON.stringify(versionValue[version]);
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

function inOrder(operations: readonly Operation[]): readonly Operation[] {
  return [...new Set(operations)].sort((a, b) => a.invoked - b.invoked);
}
