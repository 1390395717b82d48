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
  if (!isProduction) for (const found of reachable(value)) freeze(found);
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
  if (whole instanceof Map || whole instanceof Set) {
    for (const [key, item] of whole.entries()) {
      add(key);
      add(item);
    }
  }
}

function freeze(whole: object): void {
  // One that is frozen takes no new members, and has been refused or needs none.
  if (Object.isExtensible(whole)) {
    for (const name of mutatorsOf(whole)) Object.defineProperty(whole, name, { value: refuseChange });
  }
  Object.freeze(whole);
  known.add(whole);
}

/** What changes an object that freezing alone would leave open. */
function mutatorsOf(whole: object): string[] {
  if (whole instanceof Map) return namesOf(whole).filter((name) => /^(set|delete|clear|getOr)/.test(name));
  if (whole instanceof Set) return ["add", "delete", "clear"];
  if (isMoment(whole)) return namesOf(whole).filter((name) => name.startsWith("set"));
  return [];
}

/** The names of its methods, inherited ones too. */
function namesOf(whole: object): string[] {
  const prototype = Object.getPrototypeOf(whole) as object | null;
  return prototype === null ? [] : [...Object.getOwnPropertyNames(prototype), ...namesOf(prototype)];
}

function isMoment(whole: object): whole is Moment {
  return Object.prototype.toString.call(whole) === "[object Date]";
}

function refuseChange(this: object): never {
  const kind = this.constructor.name;
  throw new LockstepError(
    "misuse",
    `this ${kind} is immutable; make a new one of it, as in new ${kind}(old), and change that`,
  );
}

function refuseUnfreezable(part: object): void {
  if (isUnfreezable(part)) {
    const kind = part.constructor.name;
    throw new LockstepError(
      "bad-input",
      `this ${kind} cannot be made immutable; keep it apart, or hold its contents in an array or a Map`,
    );
  }
  if (!Object.isExtensible(part) && mutatorsOf(part).length > 0) {
    const kind = part.constructor.name;
    throw new LockstepError(
      "bad-input",
      `this ${kind} was frozen before, which leaves it open to change and lets nobody close it; ` +
        `pass it as it was before Object.freeze`,
    );
  }
}

function isUnfreezable(part: object): boolean {
  return (
    ArrayBuffer.isView(part) ||
    part instanceof ArrayBuffer ||
    part instanceof WeakMap ||
    part instanceof WeakSet ||
    (typeof SharedArrayBuffer !== "undefined" && part instanceof SharedArrayBuffer)
  );
}
