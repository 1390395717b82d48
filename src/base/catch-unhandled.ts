const event = "unhandledRejection";

/**
 * Until the returned function is called, rejections that nobody handles go to the listener, and to nobody
 * else. Both calls belong in one turn of the event loop.
 */
export function catchUnhandled(listener: (error: unknown) => void): () => void {
  const before = process.listeners(event);
  process.removeAllListeners(event);
  process.on(event, listener);
  return () => {
    process.removeListener(event, listener);
    for (const other of before) process.on(event, other);
  };
}
