/** What the transactions of a history are made of: reads, and appends to lists or writes of unique values. */
export type Workload = "list-append" | "rw-register";

export function isWorkload(object: unknown): object is Workload {
  return object === "list-append" || object === "rw-register";
}
