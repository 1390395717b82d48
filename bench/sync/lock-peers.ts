// What the benches of locks use of each peer. None of them promises to be used otherwise.
import { loadPeer } from "../peers.js";

interface Superlock {
  readonly createLock: (slots?: number) => (signal?: AbortSignal) => Promise<(() => void) | null>;
}

interface AwaitLock {
  readonly acquireAsync: (options?: { timeout: number }) => Promise<void>;
  readonly tryAcquire: () => boolean;
  readonly release: () => void;
}

interface Sema {
  readonly acquire: () => Promise<string>;
  readonly tryAcquire: () => string | undefined;
  readonly release: () => void;
}

interface AsyncMutex {
  readonly Mutex: new () => PeerMutex;
  readonly Semaphore: new (permits: number) => PeerSemaphore;
  readonly withTimeout: <Lock extends PeerMutex | PeerSemaphore>(lock: Lock, timeoutMs: number) => Lock;
}

interface PeerMutex {
  readonly acquire: () => Promise<() => void>;
}

interface PeerSemaphore {
  readonly acquire: () => Promise<[value: number, release: () => void]>;
}

export type Limit = (section: () => Promise<void>) => Promise<void>;

interface Queue {
  readonly add: (section: () => Promise<void>) => Promise<void>;
}

/** An effect: what a generator that Effect runs may `yield*`. */
export type Step = Iterable<unknown>;

interface Effect {
  readonly gen: (steps: () => Iterator<unknown>) => Step;
  readonly promise: (section: () => Promise<void>) => Step;
  readonly timeout: (step: Step, timeoutMs: number) => Step;
  readonly runPromise: (step: Step) => Promise<unknown>;
  readonly runFork: (step: Step) => unknown;
}

interface EffectSemaphore {
  readonly makeUnsafe: (permits: number) => {
    readonly take: (permits: number) => Step;
    readonly release: (permits: number) => Step;
  };
}

export const loadSuperlock = () => loadPeer<{ default: Superlock }>("superlock");
export const loadAwaitLock = () => loadPeer<{ default: new () => AwaitLock }>("await-lock");
export const loadAsyncSema = () => loadPeer<{ Sema: new (permits: number) => Sema }>("async-sema");
export const loadMutexify = () =>
  loadPeer<{ default: () => () => Promise<() => void> }>("mutexify/promise.js");
export const loadAsyncMutex = () => loadPeer<AsyncMutex>("async-mutex");
export const loadLimit = () => loadPeer<{ default: (concurrency: number) => Limit }>("p-limit");
export const loadQueue = () =>
  loadPeer<{ default: new (options: { concurrency: number }) => Queue }>("p-queue");
export const loadEffect = () => loadPeer<Effect>("effect/Effect");
export const loadEffectSemaphore = () => loadPeer<EffectSemaphore>("effect/Semaphore");
