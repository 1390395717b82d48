import { startZookeeper } from "../rig/zookeeper.js";
import { recipesOn } from "./recipes/on-server.js";

recipesOn("zookeeper", startZookeeper);
