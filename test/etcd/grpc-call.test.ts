import { once } from "node:events";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "lockstep/base";
import { afterEach, expect, test } from "vitest";
import { Member } from "../../src/engines/etcd/member.js";
import type { Method } from "../../src/engines/etcd/messages.js";
import { encoded, message, one, text } from "../../src/engines/etcd/protobuf.js";

const words = message({ words: one(1, text) });
const echo = { path: "/test/Echo", request: words, response: words } as Method<
  { words: string },
  { words: string }
>;
const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanup.splice(0)) clean();
});

/** A member that is answered by this. */
async function memberOf(answer: (stream: ServerHttp2Stream) => void): Promise<Member> {
  const server = createServer().listen(0, "127.0.0.1");
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    answer(stream);
  });
  await once(server, "listening");
  const member = new Member(`127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, systemClock);
  cleanup.push(
    () => member.close(),
    () => server.close(),
  );
  await member.connect(1000);
  return member;
}

function framed(...all: string[]): Buffer {
  return Buffer.concat(
    all.flatMap((each) => {
      const body = encoded(words, { words: each });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      return [head, body];
    }),
  );
}

/** Ends the stream with this verdict, behind the pieces of the answer. */
function respond(
  stream: ServerHttp2Stream,
  pieces: readonly Buffer[],
  verdict: Record<string, string>,
): void {
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(verdict));
  for (const piece of pieces) stream.write(piece);
  stream.end();
}

const fine = { "grpc-status": "0" };

test("an answer is understood in however many pieces it comes", async () => {
  const long = "é".repeat(2000);
  const whole = framed(long);
  for (const size of [3, 1000, whole.length]) {
    const count = Math.ceil(whole.length / size);
    const pieces = Array.from({ length: count }, (_, i) => whole.subarray(i * size, (i + 1) * size));
    const member = await memberOf((stream) => respond(stream, pieces, fine));
    expect(await member.ask(echo, { words: "?" }, {}, 5000)).toEqual({ words: long });
  }
});

test("many messages in one piece are told one by one, and then the end", async () => {
  const member = await memberOf((stream) => respond(stream, [framed("a", "b"), framed("c")], fine));
  const told: unknown[] = [];
  await new Promise<void>((resolve) => {
    const onEnd = (failure: string | undefined) => {
      told.push(failure);
      resolve();
    };
    member.open(echo, {}, { onMessage: (found) => told.push(found.words), onEnd });
  });
  expect(told).toEqual(["a", "b", "c", undefined]);
});

test.each<[string, (stream: ServerHttp2Stream) => void, RegExp]>([
  [
    "a refusal with no answer",
    (stream) =>
      stream.respond({ ":status": 200, "grpc-status": "9", "grpc-message": "a%20b" }, { endStream: true }),
    /^a b$/,
  ],
  [
    "a refusal behind an answer",
    (stream) => respond(stream, [framed("x")], { "grpc-status": "8", "grpc-message": "100%" }),
    /^100%$/,
  ],
  ["no answer, though all is well", (stream) => respond(stream, [], fine), /no answer/],
  ["what is no gRPC", (stream) => stream.respond({ ":status": 404 }, { endStream: true }), /status 404/],
  [
    "what makes no sense",
    (stream) => respond(stream, [Buffer.from("000000000108", "hex")], fine),
    /no sense/,
  ],
  ["a stream that is cut off", (stream) => stream.close(2), /INTERNAL_ERROR/],
  ["a connection that is cut off", (stream) => stream.session?.destroy(), /lost|closed|canceled/i],
  ["silence", () => undefined, /no answer within/],
])("%s is a failure", async (_, answer, reason) => {
  const member = await memberOf(answer);
  await expect(member.ask(echo, { words: "?" }, {}, 300)).rejects.toThrow(reason);
});

test("what is asked on a connection that is over was surely not sent", async () => {
  const member = await memberOf((stream) => stream.session?.destroy());
  await expect(member.ask(echo, { words: "?" }, {}, 1000)).rejects.toMatchObject({ mayBeApplied: true });
  await sleep(50);
  expect(member.isConnected).toBe(false);
  await expect(member.ask(echo, { words: "?" }, {}, 1000)).rejects.toMatchObject({ mayBeApplied: false });
});

test("a connection that falls silent is left for another, by streams too", async () => {
  let first: unknown;
  const member = await memberOf((stream) => {
    first ??= stream.session;
    if (stream.session !== first) respond(stream, [framed("x")], fine);
  });
  const ended = new Promise((resolve) => {
    member.open(echo, {}, { onMessage: () => undefined, onEnd: resolve });
  });
  await expect(member.ask(echo, { words: "?" }, {}, 200)).rejects.toThrow(/no answer within/);
  await ended;
  expect(member.isConnected).toBe(false);
  await member.connect(1000);
  expect(await member.ask(echo, { words: "?" }, {}, 1000)).toEqual({ words: "x" });
});

test("who is told that the server will go takes its streams elsewhere", async () => {
  const member = await memberOf((stream) => stream.session?.goaway());
  const ended = new Promise((resolve) => {
    const stream = member.open(echo, {}, { onMessage: () => undefined, onEnd: resolve });
    stream.send({ words: "?" });
  });
  await ended;
  expect(member.isConnected).toBe(false);
});

test("what the server has not even begun was surely not done", async () => {
  const member = await memberOf((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
  await expect(member.ask(echo, { words: "?" }, {}, 1000)).rejects.toMatchObject({ mayBeApplied: false });
});
