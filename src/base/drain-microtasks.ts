const host = (globalThis as { process?: { _tickCallback?: () => void } }).process;
/** What Node calls after each callback: it runs all microtasks, and `process.nextTick` callbacks, at once. */
const runAll = host?._tickCallback;

/**
 * Whether promises can be made to go on at once here. Older than `queueMicrotask`, and in every Node, but in
 * no browser.
 */
export const canDrainMicrotasks = runAll !== undefined;

/**
 * Lets every promise chain go on as far as it can without the event loop. Does nothing when it is called in
 * a microtask itself: call it from a turn of its own, as `setImmediate` gives.
 */
export function drainMicrotasks(): void {
  runAll!.call(host);
}
