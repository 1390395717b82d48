import { startEtcd } from "../../rig/etcd.js";
import { crashesOn } from "./on-server.js";

crashesOn("etcd", startEtcd, 2000);
