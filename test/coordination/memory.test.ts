import { memoryGround } from "./recipes/grounds.js";
import { recipes } from "./recipes/suite.js";

recipes("memory", memoryGround);
