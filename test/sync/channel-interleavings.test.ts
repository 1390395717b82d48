// Every order of a few sends, receives, aborts and a close, judged by what must hold of any channel, without
// a model.
import { Channel } from "lockstep/sync";
import { expect, test } from "vitest";

const calls = ["send 1", "send 2", "receive a", "receive b"] as const;
type Call = (typeof calls)[number];
type Move = Call | `abort ${Call}` | "close";

/** All orders of the moves in which nobody is aborted before being called. */
function* ordersOf(moves: readonly Move[], before: readonly Move[] = []): Iterable<readonly Move[]> {
  if (moves.length === 0) yield before;
  for (const move of moves) {
    if (move.startsWith("abort") && !before.includes(move.slice("abort ".length) as Call)) continue;
    yield* ordersOf(
      moves.filter((other) => other !== move),
      [...before, move],
    );
  }
}

interface Ends {
  readonly received: Map<string, number>;
  readonly sent: number[];
  readonly gaveUp: string[];
  readonly closed: string[];
  readonly left: number[];
  readonly stillWaiting: number[];
}

async function play(order: readonly Move[], capacity: number): Promise<Ends> {
  const channel = new Channel<number>({ capacity });
  const ends: Ends = { received: new Map(), sent: [], gaveUp: [], closed: [], left: [], stillWaiting: [] };
  const aborts = new Map<Call, AbortController>();
  for (const move of order) {
    if (move === "close") channel.close();
    else if (move.startsWith("abort")) aborts.get(move.slice("abort ".length) as Call)!.abort("gave up");
    else {
      const call = move as Call;
      const abort = new AbortController();
      aborts.set(call, abort);
      const patience = { signal: abort.signal };
      const failed = (error: unknown) => (error === "gave up" ? ends.gaveUp : ends.closed).push(call);
      if (call.startsWith("send")) {
        const value = Number(call.at(-1));
        void channel.send(value, patience).then(() => ends.sent.push(value), failed);
      } else {
        void channel.receive(patience).then((value) => ends.received.set(call, value), failed);
      }
    }
  }
  for (let turn = 0; turn < 6; turn++) await Promise.resolve();
  ends.stillWaiting.push(channel.waitingSenders, channel.waitingReceivers);
  // Taking out what lies in it lets senders move up who still wait: they count as waiting.
  for (let { size } = channel; size > 0; size--) ends.left.push(channel.tryReceive()!.value);
  return { ...ends, sent: [...ends.sent] };
}

function judge(order: readonly Move[], capacity: number, ends: Ends): void {
  const { received, sent, gaveUp, closed, left, stillWaiting } = ends;
  const [senders, receivers] = stillWaiting as [number, number];
  const bad = (what: string) => {
    const report = { ...ends, received: [...received] };
    expect.fail(`${what}: ${order.join(", ")}; capacity ${capacity}; ${JSON.stringify(report)}`);
  };
  // What arrived is what was sent, once each; who gave up or was refused neither gave nor took.
  const arrived = [...received.values(), ...left];
  if (new Set(arrived).size !== arrived.length) bad("a value arrived twice");
  for (const value of arrived) if (!sent.includes(value)) bad("a value arrived that was not sent");
  for (const value of sent) if (!arrived.includes(value)) bad("a value was lost");
  // Everybody came to one end.
  const ended = sent.length + received.size + gaveUp.length + closed.length;
  if (ended + senders + receivers !== order.filter((move) => calls.includes(move as Call)).length) {
    bad("somebody came to no end, or to two");
  }
  // Nobody waits for what is there, or in a channel that is closed.
  if (senders > 0 && receivers > 0) bad("two wait for each other");
  if (left.length > capacity) bad("there was more in it than it holds");
  if (senders > 0 && left.length < capacity) bad("a sender waits, though there is room");
  if (receivers > 0 && left.length > 0) bad("a receiver waits, though there is a value");
  if (order.includes("close") && senders + receivers > 0) bad("somebody waits, though it is closed");
  // In order: of two that arrived, the one that was sent first was received first.
  const inOrder = order.filter((move) => move.startsWith("send")).map((move) => Number(move.at(-1)));
  const receivedInOrder = order.flatMap((move) => received.get(move) ?? []);
  const expected = inOrder.filter((value) => receivedInOrder.includes(value));
  if (receivedInOrder.join() !== expected.join()) bad("a value overtook another one");
  if (received.size > 0 && left.length > 0 && inOrder[0] === left[0]) bad("the later value was received");
}

test.each([0, 1, 2])("every order of every race, capacity %i", async (capacity) => {
  const aborts = calls.map((call) => `abort ${call}` as const);
  let count = 0;
  for (let which = 0; which < 16; which++) {
    const chosen: Move[] = [...calls, ...aborts.filter((_, index) => which & (1 << index))];
    // A close in a long order takes long to place everywhere, and adds nothing to what two aborts show.
    if (chosen.length <= 6) chosen.push("close");
    for (const order of ordersOf(chosen)) {
      judge(order, capacity, await play(order, capacity));
      count++;
    }
  }
  expect(count).toBeGreaterThan(10_000);
});
