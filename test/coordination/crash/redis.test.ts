import { startRedis } from "../../rig/redis.js";
import { crashesOn } from "./on-server.js";

crashesOn("redis", startRedis);
