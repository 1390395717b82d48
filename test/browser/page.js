// Runs in the page: each check in turn, and what came of it back to the test.
import * as sync from "/dist/sync/index.js";
import * as threads from "/dist/threads/index.js";

const checks = {
  async "a mutex of one event loop"() {
    const mutex = new sync.Mutex();
    const held = await mutex.acquire();
    await rejectsWith("timeout", mutex.acquire({ timeoutMs: 5 }));
    held.release();
  },

  async "a rate limiter reads the page's clock"() {
    const limiter = new sync.RateLimiter({ limit: 1, intervalMs: 20 });
    await limiter.acquire();
    equal(limiter.tryAcquire(), false);
    await limiter.acquire({ timeoutMs: 1000 });
  },

  async "a channel between tasks"() {
    const channel = new sync.Channel({ capacity: 1 });
    const received = [];
    const reader = (async () => {
      for await (const item of channel) received.push(item);
    })();
    for (let item = 0; item < 5; item++) await channel.send(item);
    channel.close();
    await reader;
    equal(received.join(), "0,1,2,3,4");
  },

  async "deadlocks cannot be detected here, and it says so"() {
    await rejectsWith("unsupported", (async () => sync.detectDeadlocks())());
  },

  async "the page awaits a mutex that two web workers block on"() {
    const mutex = new threads.Mutex();
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const rounds = 2000;
    const workers = [1, 2].map(() => startWorker({ mutex: mutex.handle, counter, rounds }));
    for (let round = 0; round < 200; round++) {
      const held = await mutex.acquire({ timeoutMs: 20_000 });
      counter[0] = counter[0] + 1;
      held.release();
    }
    await Promise.all(workers);
    equal(counter[0], 2 * rounds + 200);
  },
};

function startWorker(task) {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/worker.js", { type: "module" });
    worker.onmessage = ({ data }) => (data === "done" ? resolve() : reject(new Error(data)));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  });
}

function equal(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, not ${actual}`);
}

async function rejectsWith(code, promise) {
  const error = await promise.then(
    () => undefined,
    (error) => error,
  );
  equal(error?.code, code);
}

const results = {};
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    results[name] = "ok";
  } catch (error) {
    results[name] = String(error?.stack ?? error);
  }
}
await fetch("/results", { method: "POST", body: JSON.stringify(results) });
