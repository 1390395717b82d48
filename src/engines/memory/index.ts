export { MemoryData } from "./memory-data.js";
export { MemoryStore, type MemoryStoreOptions } from "./memory-store.js";
