import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultProxy } from "./fault-proxy.js";

/** Sends back what it hears. */
let server: Server;
let heard: string;
let serverSockets: Set<Socket>;
let proxy: FaultProxy;

beforeEach(async () => {
  heard = "";
  serverSockets = new Set();
  server = createServer((socket) => {
    serverSockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => serverSockets.delete(socket));
    socket.setEncoding("utf8").on("data", (text: string) => {
      heard += text;
      socket.write(text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await FaultProxy.start({ to: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of serverSockets) socket.destroy();
  server.close();
});

class Caller {
  text = "";
  readonly socket = createConnection(proxy.port, "127.0.0.1").setEncoding("utf8");
  readonly closed = new Promise((resolve) => this.socket.on("close", resolve));

  constructor() {
    this.socket.on("error", () => undefined);
    this.socket.on("data", (text: string) => (this.text += text));
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async hears(text: string): Promise<void> {
    await expect.poll(() => this.text).toBe(text);
  }
}

/** Enough for anything that is not held to arrive. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 60));

test("it passes on what it is given, and counts", async () => {
  const caller = new Caller();
  caller.say("one");
  await caller.hears("one");
  expect([proxy.passed("server"), proxy.passed("client")]).toEqual([3, 3]);
  expect([proxy.accepted, proxy.connections]).toEqual([1, 1]);
  caller.socket.end();
  await expect.poll(() => serverSockets.size).toBe(0);
  await expect.poll(() => proxy.connections).toBe(0);
  expect(proxy.passed("client")).toBe(3);
});

test("what is held goes on when all is well, in its order; so does the end", async () => {
  const caller = new Caller();
  caller.say("one");
  await caller.hears("one");
  proxy.hold("client");
  caller.say("two");
  await expect.poll(() => heard).toBe("onetwo");
  await aWhile();
  expect(caller.text).toBe("one");
  proxy.hold();
  caller.say("three");
  await aWhile();
  expect(heard).toBe("onetwo");
  await proxy.heal();
  await caller.hears("onetwothree");
  proxy.hold("server");
  caller.socket.destroy();
  await aWhile();
  expect(serverSockets.size).toBe(1);
  await proxy.heal();
  await expect.poll(() => serverSockets.size).toBe(0);
});

test("a reply that was dropped is lost, and its connection is cut in the end", async () => {
  const caller = new Caller();
  proxy.drop("client");
  caller.say("one");
  await expect.poll(() => heard).toBe("one");
  await aWhile();
  expect([caller.text, caller.socket.closed]).toEqual(["", false]);
  await proxy.heal();
  await caller.closed;
  const next = new Caller();
  next.say("two");
  await next.hears("two");
});

test("what is delayed comes later, and nothing overtakes it", async () => {
  const caller = new Caller();
  await once(caller.socket, "connect");
  proxy.delay(100);
  caller.say("one");
  await aWhile();
  expect(heard).toBe("");
  await proxy.heal();
  caller.say("two");
  await caller.hears("onetwo");
});

test("a black hole accepts and says nothing", async () => {
  proxy.hold();
  const caller = new Caller();
  await once(caller.socket, "connect");
  caller.say("one");
  await aWhile();
  expect([heard, caller.text]).toEqual(["", ""]);
});

test("all connections can be cut, and new ones taken or refused", async () => {
  const first = new Caller();
  first.say("one");
  await first.hears("one");
  proxy.cut();
  await first.closed;
  const second = new Caller();
  second.say("two");
  await second.hears("two");
  await proxy.refuse();
  await second.closed;
  const third = new Caller();
  await third.closed;
  expect(third.socket.bytesRead).toBe(0);
  await proxy.heal();
  const fourth = new Caller();
  fourth.say("four");
  await fourth.hears("four");
});

test("the weather may be another for each sender", async () => {
  const sides = new Map<number, string>();
  const target = (server.address() as AddressInfo).port;
  await proxy.close();
  proxy = await FaultProxy.start({ to: target, senderOf: (port) => sides.get(port) });
  const cutOff = createConnection({ port: proxy.port, host: "127.0.0.1", localPort: 11_999 });
  sides.set(11_999, "cut off");
  let text = "";
  cutOff.on("data", (data) => (text += data.toString()));
  proxy.setWeather((_way, sender) => ({ fate: sender() === "cut off" ? "hold" : "pass", delayMs: 0 }));
  const other = new Caller();
  cutOff.write("one");
  other.say("two");
  await other.hears("two");
  await aWhile();
  expect(text).toBe("");
  await proxy.heal();
  await expect.poll(() => text).toBe("one");
  cutOff.destroy();
});
