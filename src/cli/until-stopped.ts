/** For commands that go on until someone has seen enough: aborted by the signals with which one says so. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  return stop.signal;
}
