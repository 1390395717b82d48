import { describeBy, type Operation } from "../history.js";
import { identity, isSame, type Identity } from "../identity.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "../in-call-order.js";
import { Stays } from "./stays.js";

/** How one puts values into a container and takes them out. */
export interface Container {
  readonly put: string;
  /** Answers a value, or nothing when there is none inside. */
  readonly take: string;
  /** What is wrong with the stays, if nobody took what was put in later, or not at all. */
  anomalyOf(stays: Stays): Anomaly | undefined;
}

/**
 * Judges a queue or a stack into which no value is put twice.
 *
 * A put with an unknown outcome has no return. If somebody took its value out, the put was over by then; if
 * nobody did, the value was not inside for sure at any time, and not ahead of any other.
 *
 * A take with an unknown outcome may have taken anything, or nothing, or not have happened. So if nothing is
 * wrong as if none of them had happened, the history is valid. And if something is wrong even without the
 * values that they may have taken, it is a violation, for an order of all with some values left out would be
 * an order of the rest. Between the two the search has to find out.
 */
export function judgeStays(part: readonly Operation[], container: Container): PartVerdict | undefined {
  const numbers = new Map<Identity, number>();
  const puts = putsOf(part, container, numbers);
  if (puts === undefined) return undefined;
  const takes = new Array<Operation | undefined>(puts.length).fill(undefined);
  const empties: Operation[] = [];
  let isSomeTakeUnknown = false;
  for (const operation of part) {
    if (operation.name === container.put || operation.outcome === "fail") continue;
    if (operation.outcome === "unknown") {
      isSomeTakeUnknown = true;
      continue;
    }
    const value = identity(operation.result);
    if (value === null) {
      empties.push(operation);
      continue;
    }
    const number = numbers.get(value);
    if (number === undefined) return fromNowhere(part, container, operation);
    const wrong = wrongTake(operation, puts[number]!, takes[number]);
    if (wrong !== undefined) return wrong;
    takes[number] = operation;
  }
  const stays = new Stays(puts, takes, empties);
  const wrong = container.anomalyOf(stays);
  if (wrong === undefined) return "valid";
  return isSomeTakeUnknown ? container.anomalyOf(stays.ended()) : wrong;
}

/**
 * Numbers the values, and gives the puts that may have happened by these numbers; undefined if two are of the
 * same value, or if the container can do more than put and take.
 */
function putsOf(
  part: readonly Operation[],
  container: Container,
  numbers: Map<Identity, number>,
): Operation[] | undefined {
  const puts: Operation[] = [];
  for (const operation of part) {
    if (operation.name === container.take || operation.outcome === "fail") continue;
    const value = identity(operation.args.at(-1));
    // Nothing is what an empty container answers.
    if (operation.name !== container.put || value === null || numbers.has(value)) return undefined;
    numbers.set(value, puts.length);
    puts.push(operation);
  }
  return puts;
}

function fromNowhere(part: readonly Operation[], container: Container, take: Operation): Anomaly {
  const failed = part.find(({ name, args }) => name === container.put && isSame(args.at(-1), take.result));
  const was = failed === undefined ? "nobody ever put that in" : `${describeBy(failed)}, and nobody else did`;
  return {
    name: "value from nowhere",
    explanation: `${describeBy(take)}, but ${was}.`,
    operations: inCallOrder(failed === undefined ? [take] : [take, failed]),
  };
}

function wrongTake(take: Operation, put: Operation, earlier: Operation | undefined): Anomaly | undefined {
  if (earlier !== undefined) {
    return {
      name: "duplicate",
      explanation: `${describeBy(put)} was called once, but two took that value out.`,
      operations: inCallOrder([put, earlier, take]),
    };
  }
  if (!(take.returned < put.invoked)) return undefined;
  return {
    name: "value from the future",
    explanation: `${describeBy(take)} was over before ${describeBy(put)} began, and nobody else put that in.`,
    operations: [take, put],
  };
}
