import { startEtcd } from "../rig/etcd.js";
import { recipesOn } from "./recipes/on-server.js";

recipesOn("etcd", startEtcd);
