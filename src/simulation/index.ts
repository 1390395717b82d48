export type { Happening } from "./chronicle.js";
export { FaultyStore, type Faults } from "./faulty-store.js";
export { noHazards, usualHazards, type Hazards } from "./hazards.js";
export { simulate, type Simulated, type SimulationOptions } from "./simulate.js";
export type { SimulatedProcess } from "./simulated-process.js";
export type { World } from "./world.js";
