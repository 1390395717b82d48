// One sends, another receives: Channel and its peers. The items are numbers that rise, and the receiver of a
// single sender looks whether they do.
import { isLockstepError } from "lockstep/base";
import { Channel } from "lockstep/sync";
import type { Subjects, Workloads } from "../apart.js";
import { paceOf, type Pace } from "../pace.js";
import { loadPeer } from "../peers.js";

interface PeerChan {
  readonly send: (item: number) => Promise<void>;
  readonly recv: () => Promise<IteratorResult<number>>;
  readonly trySend: (item: number) => boolean;
  readonly tryRecv: () => IteratorResult<number> | undefined;
  readonly close: () => void;
  readonly [Symbol.asyncIterator]: () => AsyncIterator<number>;
}

interface PeerChannel {
  readonly write: (item: number) => Promise<boolean>;
  readonly read: () => Promise<number | undefined>;
  readonly offer: (item: number) => boolean;
  readonly poll: () => number | undefined;
  readonly close: () => void;
  readonly [Symbol.asyncIterator]: () => AsyncIterator<number>;
}

interface PeerQueue {
  readonly push: (item: number) => Promise<unknown>;
  readonly next: () => Promise<IteratorResult<number>>;
  readonly close: () => void;
  readonly [Symbol.asyncIterator]: () => AsyncIterator<number>;
}

/** A channel as a user of its package would write it. */
interface ChannelInUse {
  readonly sendAll: (pace: Pace) => Promise<void>;
  /** Until the channel is closed. */
  readonly receiveAll: (look: (item: number) => void) => Promise<void>;
  readonly iterateAll: (look: (item: number) => void) => Promise<void>;
  /** Sends and receives without any await, where the package can. */
  readonly atOnce?: (pace: Pace) => void;
  readonly close: () => void;
}

const room = 64;
const crowd = 10;

export const subjects: Subjects = {
  lockstep: () =>
    workloads((capacity) => {
      const channel = new Channel<number>({ capacity });
      return {
        async sendAll(pace) {
          for (let item = 0; pace.goesOn(); item++) await channel.send(item);
        },
        async receiveAll(look) {
          try {
            for (;;) look(await channel.receive());
          } catch (error) {
            if (!isLockstepError(error, "closed")) throw error;
          }
        },
        async iterateAll(look) {
          for await (const item of channel) look(item);
        },
        atOnce(pace) {
          for (let item = 0; pace.goesOn(); item++) {
            if (!channel.trySend(item) || channel.tryReceive()?.value !== item) throw new Error("lost");
          }
        },
        close: () => channel.close(),
      };
    }),

  async "ts-chan"() {
    const { Chan } = await loadPeer<{ Chan: new (capacity: number) => PeerChan }>("ts-chan");
    return workloads((capacity) => {
      const channel = new Chan(capacity);
      return {
        async sendAll(pace) {
          for (let item = 0; pace.goesOn(); item++) await channel.send(item);
        },
        async receiveAll(look) {
          for (;;) {
            const next = await channel.recv();
            if (next.done) return;
            look(next.value);
          }
        },
        async iterateAll(look) {
          for await (const item of channel) look(item);
        },
        atOnce(pace) {
          for (let item = 0; pace.goesOn(); item++) {
            if (!channel.trySend(item) || channel.tryRecv()?.value !== item) throw new Error("lost");
          }
        },
        close: () => channel.close(),
      };
    });
  },

  async "@thi.ng/csp"() {
    const { channel: open } = await loadPeer<{ channel: (capacity: number) => PeerChannel }>("@thi.ng/csp");
    return workloads((capacity) => {
      const channel = open(capacity);
      return {
        async sendAll(pace) {
          for (let item = 0; pace.goesOn(); item++) await channel.write(item);
        },
        async receiveAll(look) {
          for (;;) {
            const item = await channel.read();
            if (item === undefined) return;
            look(item);
          }
        },
        async iterateAll(look) {
          for await (const item of channel) look(item);
        },
        atOnce(pace) {
          for (let item = 0; pace.goesOn(); item++) {
            if (!channel.offer(item) || channel.poll() !== item) throw new Error("lost");
          }
        },
        close: () => channel.close(),
      };
    }, 1);
  },

  /** Its `push` waits until the item is received, whatever the room: a hand-over. */
  async queueable() {
    const { Channel: Queue } = await loadPeer<{ Channel: new () => PeerQueue }>("queueable");
    const { handOver } = workloads(() => {
      const queue = new Queue();
      return {
        async sendAll(pace) {
          for (let item = 0; pace.goesOn(); item++) await queue.push(item);
        },
        async receiveAll(look) {
          for (;;) {
            const next = await queue.next();
            if (next.done) return;
            look(next.value);
          }
        },
        async iterateAll(look) {
          for await (const item of queue) look(item);
        },
        close: () => queue.close(),
      };
    });
    return { handOver: handOver! };
  },
};

/** Not every channel can do without any room. */
function workloads(open: (capacity: number) => ChannelInUse, least = 0): Workloads {
  const { atOnce } = open(room);
  return {
    handOver: () => oneToOne(open(least), "receiveAll"),
    buffered: () => oneToOne(open(room), "receiveAll"),
    crowded: () => manyToMany(open(room)),
    iterated: () => oneToOne(open(room), "iterateAll"),
    ...(atOnce ? { atOnce: () => paceOf(open(room).atOnce!) } : {}),
  };
}

async function oneToOne(channel: ChannelInUse, receive: "receiveAll" | "iterateAll"): Promise<number> {
  let next = 0;
  const received = channel[receive]((item) => {
    if (item !== next++) throw new Error(`item ${item} came for item ${next - 1}`);
  });
  return paceOf(async (pace) => {
    await channel.sendAll(pace);
    channel.close();
    await received;
  });
}

async function manyToMany(channel: ChannelInUse): Promise<number> {
  const received = Array.from({ length: crowd }, () => channel.receiveAll(() => undefined));
  return paceOf(async (pace) => {
    await Promise.all(Array.from({ length: crowd }, () => channel.sendAll(pace)));
    channel.close();
    await Promise.all(received);
  });
}
