export { FaultyStore, type Faults } from "./faulty-store.js";
