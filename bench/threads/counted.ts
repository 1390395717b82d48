/** What is counted of each, in the words of the table. */
export const counted = {
  "Atomics.add": "of a 64-bit number, bare",
  AtomicCounter: "increments",
  Semaphore: "pairs, alone",
  "RwLock, reading": "pairs, alone",
  "RwLock, writing": "pairs, alone",
  Condition: "waits of two threads in turn",
  Barrier: "arrivals of two threads",
  Latch: "waits, when it is open",
  "Seqlock, reading": "a number",
  "Seqlock, writing": "a number",
  "SharedStruct, reading": "snapshots of two fields",
  "SharedStruct, writing": "updates of two fields",
  "SharedCell, reading": "a number",
  "SharedCell, writing": "a number",
};
