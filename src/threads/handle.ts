import { LockstepError } from "../base/errors.js";
import { shown } from "../base/shown.js";
import { isShared } from "./is-shared.js";
import { Liveness } from "./liveness.js";

const version = 1;

/**
 * What names a thing in shared memory to another thread: a plain object that travels by `postMessage` or
 * `workerData`. Its kind is part of its type, so that the handle of a semaphore does not pass for a mutex.
 */
export interface Handle<Kind extends string = string> {
  readonly lockstep: `threads/${Kind}`;
  readonly version: typeof version;
  readonly memory: SharedArrayBuffer;
  /** The table of living threads by whose numbers the memory names its owners. */
  readonly threads: SharedArrayBuffer;
}

/** A handle over `memory`, and whatever else those who open it must know. */
export function makeHandle<Kind extends string, Extra extends object = object>(
  kind: Kind,
  memory: SharedArrayBuffer,
  liveness: Liveness,
  extra?: Extra,
): Handle<Kind> & Extra {
  const handle = {
    lockstep: `threads/${kind}` as const,
    version,
    memory,
    threads: liveness.table.memory,
  } as const;
  return Object.freeze({ ...(extra as Extra), ...handle });
}

/**
 * The memory behind a handle.
 *
 * *Failure*: throws 'bad-input', with what to do, for anything but a handle of this kind and version over
 * enough shared memory.
 */
export function checkHandle(kind: string, handle: unknown, minBytes: number): SharedArrayBuffer {
  const { lockstep, version: theirs, memory, threads } = propertiesOf(handle);
  const name = classOf(kind);
  if (typeof lockstep !== "string" || !lockstep.startsWith("threads/")) {
    throw badHandle(`${name}.from needs the \`handle\` of ${withArticle(name)}, not ${describe(handle)}`);
  }
  if (lockstep !== `threads/${kind}`) {
    const found = classOf(lockstep.slice("threads/".length));
    throw badHandle(`this is the handle of ${withArticle(found)}; use ${found}.from(handle)`);
  }
  if (theirs !== version) {
    throw badHandle(
      `this handle has version ${shown(theirs)} and is understood in version ${version}: ` +
        `let all threads load the same version of lockstep`,
    );
  }
  if (!isShared(memory)) {
    throw badHandle(
      `the memory of this handle is ${describe(memory)} and not a SharedArrayBuffer: pass the handle on as ` +
        `it is, by postMessage or workerData; JSON cannot carry it, nor can another process get it`,
    );
  }
  if (memory.byteLength < minBytes) {
    throw badHandle(
      `a ${name} needs ${minBytes} bytes, and this handle has ${memory.byteLength}: pass it on as it is`,
    );
  }
  if (memory.byteLength % Int32Array.BYTES_PER_ELEMENT !== 0) {
    throw badHandle(
      `a ${name} has its memory in whole words, and this handle has ${memory.byteLength} bytes: ` +
        `pass it on as it is`,
    );
  }
  Liveness.of(threads);
  return memory;
}

/** Zeroed shared memory of so many bytes. */
export function allocate(bytes: number): SharedArrayBuffer {
  // A browser has none until the page asks to be isolated from others.
  if (typeof SharedArrayBuffer === "function") return new SharedArrayBuffer(bytes);
  throw new LockstepError(
    "unsupported",
    "there is no SharedArrayBuffer here: a page must be cross-origin isolated, by the headers " +
      "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
  );
}

function propertiesOf(handle: unknown): Partial<Record<keyof Handle, unknown>> {
  return typeof handle === "object" && handle !== null ? handle : {};
}

function badHandle(message: string): LockstepError {
  return new LockstepError("bad-input", message);
}

/** "rw-lock" is the kind of a RwLock. */
function classOf(kind: string): string {
  return kind.replace(/(^|-)([a-z])/g, (_found, _dash, letter: string) => letter.toUpperCase());
}

function withArticle(name: string): string {
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`;
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Object.prototype.toString.call(value);
}
