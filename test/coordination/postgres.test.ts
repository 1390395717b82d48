import { startPostgres } from "../rig/postgres.js";
import { recipesOn } from "./recipes/on-server.js";

recipesOn("postgres", startPostgres);
