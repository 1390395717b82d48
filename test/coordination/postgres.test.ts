import { startPostgres } from "../rig/postgres.js";
import { recipesOn } from "./recipes/on-server.js";

recipesOn("postgres", startPostgres, ({ address }, namespace) => `${address}?namespace=${namespace}`);
