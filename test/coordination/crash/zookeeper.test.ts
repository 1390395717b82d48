import { startZookeeper } from "../../rig/zookeeper.js";
import { crashesOn } from "./on-server.js";

crashesOn("zookeeper", startZookeeper, 2000);
