import { LockstepError } from "../base/errors.js";

type Leaf = string | number | bigint | boolean | symbol | null | undefined | ((...args: never) => unknown);
/** A date, by what it can do: what tells the time has no other place in this room. */
interface Moment {
  getTime(): number;
  setTime(time: number): number;
}
type Unfreezable = ArrayBufferLike | ArrayBufferView | WeakMap<never, unknown> | WeakSet<never>;

/** The same, all the way down, with nothing that would change it. What cannot be made so is `never`. */
export type Immutable<T> = unknown extends T
  ? T
  : T extends Leaf
    ? T
    : T extends ReadonlyMap<infer Key, infer Value>
      ? ReadonlyMap<Immutable<Key>, Immutable<Value>>
      : T extends ReadonlySet<infer Item>
        ? ReadonlySet<Immutable<Item>>
        : T extends Unfreezable
          ? never
          : T extends Moment
            ? Pick<T, Exclude<keyof T, `set${string}`>>
            : { readonly [Name in keyof T]: Immutable<T[Name]> };

// Seen as bundlers do, which put the text of the mode in its place; a browser has no `process` otherwise.
declare const process: { readonly env: { readonly NODE_ENV?: string } };

const isProduction = readMode() === "production";

/** What is frozen through and through, so that sharing a large part of an old value costs nothing. */
const known = new WeakSet();

/**
 * Freezes a value and all that it holds, so that tasks can share it without a lock: whoever changes it hears
 * of it at once. It is the same value that is returned, not a copy.
 *
 * It is for data. Freezing reaches objects, arrays and the own fields of class instances, through any
 * circles; a Map, Set or Date throws 'misuse' when it is to be changed. Functions, private `#fields` and what
 * getters and setters close over are out of reach, and getters are not called.
 *
 * Where NODE_ENV is "production" when this module is loaded it does nothing and costs nothing: the types have
 * told by then.
 *
 * *Failure*: 'bad-input' for typed arrays, buffers, WeakMap and WeakSet, which cannot be frozen; then nothing
 * of the value is.
 */
export function immutable<T>(value: T): Immutable<T> {
  return isProduction ? (value as Immutable<T>) : freezeThrough(value);
}

/** The same in production, too. */
export function freezeThrough<T>(value: T): Immutable<T> {
  const found = reachable(value);
  for (const each of found) freeze(each);
  // Only now: of what is known, the parts are frozen as well.
  for (const each of found) known.add(each);
  return value as Immutable<T>;
}

function readMode(): string | undefined {
  try {
    return process.env.NODE_ENV;
  } catch {
    return undefined;
  }
}

/** All objects to freeze: found first, so that nothing is frozen when one of them cannot be. */
function reachable(value: unknown): Set<object> {
  const found = new Set<object>();
  const add = (part: unknown) => {
    if (typeof part !== "object" || part === null || known.has(part)) return;
    refuseUnfreezable(part);
    found.add(part);
  };
  add(value);
  // A set goes on to what was added meanwhile: no recursion, so no depth is too much.
  for (const each of found) partsOf(each, add);
  return found;
}

function partsOf(whole: object, add: (part: unknown) => void): void {
  for (const name of Reflect.ownKeys(whole)) add(Reflect.getOwnPropertyDescriptor(whole, name)?.value);
  // Not by its own methods, which may show others than it has.
  if (isMap(whole)) {
    Map.prototype.forEach.call(whole, (item, key) => {
      add(key);
      add(item);
    });
  }
  if (isSet(whole)) Set.prototype.forEach.call(whole, add);
}

function freeze(whole: object): void {
  // One that is frozen takes no new members, and has been refused or needs none.
  if (Object.isExtensible(whole)) {
    for (const name of mutatorsOf(whole)) Object.defineProperty(whole, name, { value: refuseChange });
  }
  Object.freeze(whole);
}

/** What changes an object that freezing alone would leave open. */
function mutatorsOf(whole: object): string[] {
  if (isMap(whole)) return namesOf(whole).filter((name) => /^(set|delete|clear|getOr)/.test(name));
  if (isSet(whole)) return ["add", "delete", "clear"];
  if (isMoment(whole)) return namesOf(whole).filter((name) => name.startsWith("set"));
  return [];
}

/** The names of its methods, inherited ones too. */
function namesOf(whole: object): string[] {
  return prototypesOf(whole).flatMap((prototype) => Object.getOwnPropertyNames(prototype));
}

function isMap(whole: object): whole is Map<unknown, unknown> {
  return madeBy(whole, "Map") !== undefined && answers(() => Map.prototype.has.call(whole, undefined));
}

function isSet(whole: object): whole is Set<unknown> {
  return madeBy(whole, "Set") !== undefined && answers(() => Set.prototype.has.call(whole, undefined));
}

function isMoment(whole: object): whole is Moment {
  const prototype = madeBy(whole, "Date") as Moment | undefined;
  return prototype !== undefined && answers(() => prototype.getTime.call(whole));
}

/**
 * The prototype that it has of a class of this name: its own, or one that its class extends. Not by
 * `instanceof`, for another realm has classes of its own; nor by what it calls itself, for that is anything.
 */
function madeBy(part: object, name: string): object | undefined {
  const prototype: unknown = Object.getPrototypeOf(part);
  // Most are no more than that.
  if (prototype === Object.prototype || prototype === Array.prototype) return undefined;
  return prototypesOf(part).find((each) => makerOf(each)?.name === name);
}

function makerOf(prototype: object): { readonly name: string } | undefined {
  const maker: unknown = Reflect.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof maker === "function" ? maker : undefined;
}

function prototypesOf(whole: object): object[] {
  const prototype = Object.getPrototypeOf(whole) as object | null;
  return prototype === null ? [] : [prototype, ...prototypesOf(prototype)];
}

/** What errors call it. */
function kindOf(part: object): string {
  const [prototype] = prototypesOf(part);
  return (prototype && makerOf(prototype)?.name) ?? "object";
}

/** A method of what is built in works on what it is meant for, whoever made that, and throws on all else. */
function answers(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch {
    return false;
  }
}

function refuseChange(this: object): never {
  const kind = kindOf(this);
  throw new LockstepError(
    "misuse",
    `this ${kind} is immutable; make a new one of it, as in new ${kind}(old), and change that`,
  );
}

const unfreezable = ["ArrayBuffer", "SharedArrayBuffer", "WeakMap", "WeakSet"];

function refuseUnfreezable(part: object): void {
  const whyNot = obstacleOf(part);
  if (whyNot !== undefined) throw new LockstepError("bad-input", whyNot);
}

/** Why it cannot be made immutable, and what to do instead. */
function obstacleOf(part: object): string | undefined {
  if (ArrayBuffer.isView(part) || unfreezable.some((name) => madeBy(part, name) !== undefined)) {
    return (
      `this ${kindOf(part)} cannot be made immutable; ` +
      `keep it apart, or hold its contents in an array or a Map`
    );
  }
  if (isModule(part)) {
    return "a module cannot be made immutable, for what it exports is its own to change; keep it apart";
  }
  if (madeBy(part, "RegExp") !== undefined && /[gy]/.test((part as RegExp).flags)) {
    return (
      "a RegExp with the flag g or y keeps its place in itself, and would not work when frozen; " +
      "hold one without, and make one of it with the flag where it is used"
    );
  }
  if (!Object.isExtensible(part) && mutatorsOf(part).some((name) => !isClosed(part, name))) {
    return (
      `this ${kindOf(part)} was frozen before, which leaves it open to change and lets nobody close it; ` +
      `pass it as it was before Object.freeze`
    );
  }
  return undefined;
}

function isModule(part: object): boolean {
  if (Object.isExtensible(part)) return false;
  const tag: unknown = Reflect.getOwnPropertyDescriptor(part, Symbol.toStringTag)?.value;
  return tag === "Module" && Object.getPrototypeOf(part) === null;
}

function isClosed(part: object, mutator: string): boolean {
  return Reflect.getOwnPropertyDescriptor(part, mutator)?.value === refuseChange;
}
