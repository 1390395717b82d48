import { startPostgres } from "../../rig/postgres.js";
import { crashesOn } from "./on-server.js";

crashesOn("postgres", startPostgres);
