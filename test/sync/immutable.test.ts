import { runInNewContext } from "node:vm";
import { immutable } from "lockstep/sync";
import { afterEach, expect, test, vi } from "vitest";

const bad = (code: string): unknown => expect.objectContaining({ code });

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

test("it is the same value, frozen all the way down", () => {
  const value = { list: [{ deep: 1 }], [Symbol.for("s")]: { hidden: 1 } };
  expect(immutable(value)).toBe(value);
  expect(() => (value.list[0]!.deep = 2)).toThrow(TypeError);
  expect(() => value.list.push({ deep: 2 })).toThrow(TypeError);
  expect(Object.isFrozen(value[Symbol.for("s")])).toBe(true);
});

test("what is no object is itself", () => {
  for (const value of [1, "text", null, undefined, true, 5n]) expect(immutable(value)).toBe(value);
});

test("circles, and depths beyond any stack", () => {
  interface Link {
    next?: Link;
  }
  const circle: Link = {};
  circle.next = { next: circle };
  immutable(circle);
  expect(Object.isFrozen(circle.next)).toBe(true);
  let chain: Link = {};
  const last = chain;
  for (let depth = 0; depth < 100_000; depth++) chain = { next: chain };
  immutable(chain);
  expect(Object.isFrozen(last)).toBe(true);
});

test("what was frozen on the surface is frozen below", () => {
  const value = Object.freeze({ inner: { open: true } });
  immutable(value);
  expect(Object.isFrozen(value.inner)).toBe(true);
});

test("a Map, a Set and a Date refuse to be changed, and can be read", () => {
  const value = immutable({ map: new Map([["a", { n: 1 }]]), set: new Set([1]), date: new Date(5) });
  const open = value as unknown as { map: Map<string, { n: number }>; set: Set<number>; date: Date };
  expect(() => open.map.set("b", { n: 2 })).toThrow(bad("misuse"));
  expect(() => open.map.delete("a")).toThrow(bad("misuse"));
  expect(() => open.map.clear()).toThrow(bad("misuse"));
  expect(() => (open.map.get("a")!.n = 2)).toThrow(TypeError);
  expect(() => open.set.add(2)).toThrow(bad("misuse"));
  expect(() => open.set.delete(1)).toThrow(bad("misuse"));
  expect(() => open.set.clear()).toThrow(bad("misuse"));
  expect(() => open.date.setTime(6)).toThrow(bad("misuse"));
  expect(() => open.date.setUTCFullYear(6)).toThrow(bad("misuse"));
  expect([value.map.get("a")?.n, value.set.has(1), value.date.getTime()]).toEqual([1, true, 5]);
  expect(Object.keys(value.map)).toEqual([]);
  expect(new Map(open.map).set("b", { n: 2 }).size).toBe(2);
  // A second time is no trouble.
  immutable(value);
});

test("the keys of a Map and the items of a Set, too", () => {
  const [key, item] = [{ inner: {} }, { inner: {} }];
  immutable([new Map([[key, 1]]), new Set([item])]);
  expect([Object.isFrozen(key.inner), Object.isFrozen(item.inner)]).toEqual([true, true]);
});

test("class instances: their fields, not their class, and no getter is called", () => {
  class Point {
    x = { value: 1 };
    get lazily(): never {
      throw new Error("called");
    }
    move() {
      this.x = { value: 2 };
    }
  }
  const point = new Point();
  Object.defineProperty(point, "own", { enumerable: true, get: () => expect.unreachable() });
  immutable({ point, Point });
  expect(() => point.move()).toThrow(TypeError);
  expect(Object.isFrozen(point.x)).toBe(true);
  expect(Object.isFrozen(Point)).toBe(false);
  expect(Object.isFrozen(Point.prototype)).toBe(false);
});

test("what cannot be frozen is refused, and nothing of the value is frozen", () => {
  const cannot = [
    new Uint8Array(1),
    Buffer.alloc(1),
    new ArrayBuffer(1),
    new SharedArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
    new WeakMap(),
    new WeakSet(),
    Object.freeze(new Map()),
    Object.freeze(new Set()),
    Object.freeze(new Date(0)),
  ];
  for (const part of cannot) {
    const value = { first: {}, map: new Map([["part", { part }]]) };
    expect(() => immutable(value)).toThrow(bad("bad-input"));
    expect([Object.isFrozen(value), Object.isFrozen(value.first)]).toEqual([false, false]);
    value.map.clear();
  }
});

test("also what another realm has made, or a class that looks like something else", () => {
  const foreign = (code: string) => runInNewContext(code) as never;
  const map: Map<string, { n: number }> = foreign("new Map([['a', { n: 1 }]])");
  const set: Set<number> = foreign("new Set([1])");
  const date: Date = foreign("new Date(5)");
  class Moment extends Date {
    get [Symbol.toStringTag]() {
      return "Moment";
    }
  }
  const moment = new Moment(5);
  immutable({ map, set, date, moment });
  expect(() => map.set("b", { n: 2 })).toThrow(bad("misuse"));
  expect(() => set.add(2)).toThrow(bad("misuse"));
  expect(() => date.setTime(6)).toThrow(bad("misuse"));
  expect(() => moment.setTime(6)).toThrow(bad("misuse"));
  expect(Object.isFrozen(map.get("a"))).toBe(true);
  for (const code of ["ArrayBuffer(1)", "SharedArrayBuffer(1)", "WeakMap()", "WeakSet()", "Uint8Array(1)"]) {
    expect(() => immutable({ part: foreign(`new ${code}`) }), code).toThrow(bad("bad-input"));
  }
  // It only says that it is one.
  const boastful = { [Symbol.toStringTag]: "Map", inner: {} };
  immutable([boastful, Object.create(Map.prototype), Object.create(Date.prototype)]);
  expect(Object.isFrozen(boastful.inner)).toBe(true);
});

test("the contents of a Map or Set that shows others than it has", () => {
  class Secretive extends Map<string, object> {
    override entries() {
      return new Map<string, object>().entries();
    }
    override forEach() {}
  }
  const inner = { deep: {} };
  immutable(new Secretive([["key", inner]]));
  expect(Object.isFrozen(inner.deep)).toBe(true);
});

test("a RegExp that keeps its place in itself is refused, others are of use", () => {
  expect("text".replace(immutable({ pattern: /t/i }).pattern, "n")).toBe("next");
  for (const pattern of [/a/g, /a/y]) {
    expect(() => immutable({ pattern })).toThrow(bad("bad-input"));
    expect(Object.isFrozen(pattern)).toBe(false);
  }
});

test("a module is refused, and nothing is frozen then", async () => {
  const value = { inner: { deep: {} }, module: await import("fast-check") };
  expect(() => immutable(value)).toThrow(bad("bad-input"));
  expect([Object.isFrozen(value), Object.isFrozen(value.inner)]).toEqual([false, false]);
});

test("after something that will not be frozen, the rest can be, all of it", () => {
  const stubborn = new Proxy({ deep: {} }, { preventExtensions: () => false });
  const value: Record<string, object | undefined> = { inner: { map: new Map(), deep: {} }, stubborn };
  expect(() => immutable([value])).toThrow(TypeError);
  const { inner } = value as { inner: { map: Map<string, number>; deep: object } };
  const again = immutable([inner]);
  expect(Object.isFrozen(again[0]!.deep)).toBe(true);
  expect(() => inner.map.set("a", 1)).toThrow(bad("misuse"));
});

test("in production it does nothing", async () => {
  vi.stubEnv("NODE_ENV", "production");
  vi.resetModules();
  const production = await import("lockstep/sync");
  const value = { inner: {}, bytes: new Uint8Array(1) };
  expect(production.immutable(value)).toBe(value);
  expect(Object.isFrozen(value)).toBe(false);
});

test("where there is no process it freezes", async () => {
  vi.resetModules();
  vi.stubGlobal("process", undefined);
  try {
    const browser = await import("lockstep/sync");
    expect(Object.isFrozen(browser.immutable({}))).toBe(true);
  } finally {
    vi.unstubAllGlobals();
  }
});
