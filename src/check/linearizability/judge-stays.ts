import { describe, type Operation } from "../history.js";
import { identity, type Identity } from "../identity.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { inCallOrder } from "./in-call-order.js";
import { Stays } from "./stays.js";

/** What a container is called, and how one puts values in and takes them out. */
export interface Container {
  readonly name: string;
  readonly put: string;
  /** Answers a value, or nothing when there is none inside. */
  readonly take: string;
  /** What is wrong with the stays, in a history in which nobody takes what was not put in before. */
  anomalyOf(stays: Stays): Anomaly | undefined;
}

/**
 * Judges a queue or a stack into which no value is put twice.
 *
 * A put with an unknown outcome, the value of which nobody took out, may be left out: if it is anywhere in an
 * order, the order without it will do as well. If somebody took the value out, the put was over by then.
 *
 * A take with an unknown outcome may have taken anything, or nothing, or not have happened. So if nothing is
 * wrong as if none of them had happened, the history is valid. And if something is wrong even without the
 * values that they may have taken, it is a violation, for an order of all with some values left out would be
 * an order of the rest. Between the two the search has to find out.
 */
export function judgeStays(part: readonly Operation[], container: Container): PartVerdict | undefined {
  const puts = putsByValue(part, container);
  if (puts === undefined) return undefined;
  const takes = new Map<Identity, Operation>();
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
    const wrong = wrongTake(part, container, operation, puts.get(value), takes.get(value));
    if (wrong !== undefined) return wrong;
    takes.set(value, operation);
  }
  const happened = [...puts].filter(([value, { outcome }]) => outcome === "ok" || takes.has(value));
  const stays = new Stays(
    happened.map(([, put]) => put),
    happened.map(([value]) => takes.get(value)),
    empties,
  );
  const wrong = container.anomalyOf(stays);
  if (wrong === undefined) return "valid";
  return isSomeTakeUnknown ? container.anomalyOf(stays.ended()) : wrong;
}

/** The puts that may have happened; undefined if two are of the same value, or if the container can do more. */
function putsByValue(
  part: readonly Operation[],
  container: Container,
): ReadonlyMap<Identity, Operation> | undefined {
  const puts = new Map<Identity, Operation>();
  for (const operation of part) {
    if (operation.name === container.take || operation.outcome === "fail") continue;
    const value = identity(operation.args.at(-1));
    // Nothing is what an empty container answers.
    if (operation.name !== container.put || value === null || puts.has(value)) return undefined;
    puts.set(value, operation);
  }
  return puts;
}

function wrongTake(
  part: readonly Operation[],
  container: Container,
  take: Operation,
  put: Operation | undefined,
  earlier: Operation | undefined,
): Anomaly | undefined {
  if (put === undefined) {
    const value = identity(take.result);
    const failed = part.find(({ name, args }) => name === container.put && identity(args.at(-1)) === value);
    const was = failed === undefined ? "nobody ever put that in" : `${describe(failed)}, and nobody else did`;
    return {
      name: "value from nowhere",
      explanation: `${describe(take)}, but ${was}.`,
      operations: inCallOrder(failed === undefined ? [take] : [take, failed]),
    };
  }
  if (earlier !== undefined) {
    return {
      name: "duplicate",
      explanation: `${describe(put)} was called once, but two took that value out.`,
      operations: inCallOrder([put, earlier, take]),
    };
  }
  if (!(take.returned < put.invoked)) return undefined;
  return {
    name: "value from the future",
    explanation: `${describe(take)} was over before ${describe(put)} began, and nobody else put that in.`,
    operations: [take, put],
  };
}
