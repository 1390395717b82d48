export { explore, type Exploration } from "./explore.js";
export type { ExploreMode, ExploreOptions } from "./explore-options.js";
export type { FindingKind } from "./finding.js";
export type { Footprint } from "./footprint.js";
export { raceMatchers } from "./race-matchers.js";
export { RaceFound } from "./race-found.js";
export type { ScheduleRow } from "./schedule-record.js";
export type { Program, Stage } from "./stage.js";
