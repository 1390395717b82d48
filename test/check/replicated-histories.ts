import type { SeededRandom } from "lockstep/base";
import type { Operation } from "lockstep/check";

/** How the copies of a store that each client has come to know of what the others wrote. */
export interface Replication {
  /** In what order: each after all that its writer knew; each writer's in turn; or just as it comes. */
  readonly delivery: "causal" | "by writer" | "any";
  /** Which of two values stays: the one that came last, or the newer one by the clocks of the writers. */
  readonly wins: "last" | "newest";
  /** How often a client changes to another copy before it does something: 0 for never. */
  readonly hops?: number;
  /** Whether, at the end, all is delivered, and all clients read all keys. */
  readonly settles?: boolean;
}

export interface ReplicatedShape {
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** How many messages arrive, on average, for each operation. */
  readonly arrivals?: number;
}

interface Message {
  readonly key: number;
  readonly value: number;
  readonly from: number;
  readonly stamp: number;
  /** How many of each copy's writes the writer knew. */
  readonly knew: readonly number[];
}

/** A copy of the store. */
class Copy {
  readonly values = new Map<number, Message>();
  readonly applied: number[];
  readonly inbox: Message[][];
  clock = 0;

  constructor(copies: number) {
    this.applied = Array.from({ length: copies }, () => 0);
    this.inbox = this.applied.map(() => []);
  }

  apply(message: Message, wins: Replication["wins"]): void {
    this.applied[message.from]!++;
    this.clock = Math.max(this.clock, message.stamp);
    const former = this.values.get(message.key);
    const isNewer =
      !former ||
      former.stamp < message.stamp ||
      (former.stamp === message.stamp && former.from < message.from);
    if (wins === "last" || isNewer) this.values.set(message.key, message);
  }

  arrive(from: number, random: SeededRandom, { delivery, wins }: Replication): boolean {
    const waiting = this.inbox[from]!;
    const index = delivery === "any" ? random.below(waiting.length) : 0;
    const message = waiting[index];
    if (!message) return false;
    const isKnown = message.knew.every((count, copy) => copy === from || count <= this.applied[copy]!);
    if (delivery === "causal" && !isKnown) return false;
    waiting.splice(index, 1);
    this.apply(message, wins);
    return true;
  }
}

/** What clients see of a store of which each has a copy, that tells the others of its writes by and by. */
export function replicatedHistory(
  random: SeededRandom,
  replication: Replication,
  { operations, clients, keys, arrivals = 1 }: ReplicatedShape,
): Operation[] {
  const copies = Array.from({ length: clients }, () => new Copy(clients));
  const at = copies.map((_, client) => client);
  const history: Operation[] = [];
  const note = (client: number, name: string, args: unknown[], result?: unknown) => {
    const invoked = history.length * 2;
    history.push({ client, name, args, result, outcome: "ok", invoked, returned: invoked + 1 });
  };
  const read = (client: number, key: number) => {
    note(client, "read", [key], copies[at[client]!]!.values.get(key)?.value ?? null);
  };
  const write = (client: number, key: number, value: number) => {
    const from = at[client]!;
    const copy = copies[from]!;
    const message = { key, value, from, stamp: ++copy.clock, knew: [...copy.applied] };
    copy.apply(message, replication.wins);
    for (const other of copies) if (other !== copy) other.inbox[from]!.push(message);
    note(client, "write", [key, value]);
  };
  for (let count = 0; count < operations; count++) {
    const client = random.below(clients);
    if (random.chance(replication.hops ?? 0)) at[client] = random.below(clients);
    if (random.chance(0.5)) write(client, random.below(keys), count + 1);
    else read(client, random.below(keys));
    for (let left = arrivals * 2; left > 0 && random.chance(0.67); left--) {
      copies[random.below(clients)]!.arrive(random.below(clients), random, replication);
    }
  }
  if (replication.settles) {
    deliverAll(copies, random, replication);
    for (let client = 0; client < clients; client++) for (let key = 0; key < keys; key++) read(client, key);
  }
  return history;
}

function deliverAll(copies: readonly Copy[], random: SeededRandom, replication: Replication): void {
  let isMoving = true;
  while (isMoving) {
    isMoving = false;
    for (const copy of copies) {
      for (let from = 0; from < copies.length; from++) {
        while (copy.arrive(from, random, replication)) isMoving = true;
      }
    }
  }
}
