import { playDays } from "./play-days.js";

playDays({
  engine: "memory",
  ttlMs: 1000,
  start: async () => ({ address: (namespace) => `memory:${namespace}`, stop: async () => undefined }),
});
