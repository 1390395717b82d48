import { Space } from "./space.js";

const space = new Space();

/** {@link Space.ref} of the space that all share who make none of their own. */
export const ref: Space["ref"] = space.ref.bind(space);
/** {@link Space.table} of the same space. */
export const table: Space["table"] = space.table.bind(space);
/** {@link Space.atomically} of the same space. */
export const atomically: Space["atomically"] = space.atomically.bind(space);
/** {@link Space.atomicallySync} of the same space. */
export const atomicallySync: Space["atomicallySync"] = space.atomicallySync.bind(space);
/** {@link Space.snapshot} of the same space. */
export const snapshot: Space["snapshot"] = space.snapshot.bind(space);
