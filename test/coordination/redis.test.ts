import { startRedis } from "../rig/redis.js";
import { recipesOn } from "./recipes/on-server.js";

recipesOn("redis", startRedis);
