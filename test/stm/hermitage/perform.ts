import type { Rows, Step } from "./script.js";

/** What a transaction in memory does with its rows. */
export interface Access {
  get(key: number, isForUpdate: boolean): Promise<number | undefined>;
  where(accepts: (value: number) => boolean): Promise<Rows>;
  put(key: number, value: number): Promise<void>;
  delete(key: number): Promise<void>;
}

/** Does one step, and gives what it sees. That it begins or ends is the matter of whoever calls. */
export async function perform({ verb, first, second, where }: Step, access: Access): Promise<Rows> {
  if (verb === "get" || verb === "get for update") {
    const value = await access.get(first, verb === "get for update");
    return value === undefined ? [] : [[first, value]];
  }
  if (verb === "put" || verb === "insert") await access.put(first, second);
  if (!["select", "set", "add", "delete"].includes(verb)) return [];
  const rows = await access.where(where.accepts);
  for (const [key, value] of rows) {
    if (verb === "set") await access.put(key, first);
    if (verb === "add") await access.put(key, value + first);
    if (verb === "delete") await access.delete(key);
  }
  return rows;
}
