// Runs in a web worker: counts under the mutex, and blocks while it waits.
import { Mutex } from "/dist/threads/index.js";

onmessage = ({ data: { mutex: handle, counter, rounds } }) => {
  try {
    const mutex = Mutex.from(handle);
    for (let round = 0; round < rounds; round++) {
      const held = mutex.lockSync();
      counter[0] = counter[0] + 1;
      held.release();
    }
    postMessage("done");
  } catch (error) {
    postMessage(String(error.stack));
  }
};
