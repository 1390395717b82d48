import { anomalyOf } from "./explanations.js";
import { relations } from "./dependency-graph.js";
import type { Observations } from "./observations.js";

/** Two read the same version of a key and wrote the key: whichever was first, the other did not see it. */
export function findLostUpdate(observations: Observations): void {
  const { firstRead, readVersion, operations, findings } = observations;
  const updater = new Int32Array(observations.writeCount + observations.keys.length).fill(-1);
  for (let transaction = 0; transaction < operations.length; transaction++) {
    for (let at = firstRead[transaction]!; at < firstRead[transaction + 1]!; at++) {
      const version = readVersion[at]!;
      const key = observations.keyOfVersion(version);
      const own = observations.installedBy(transaction, key);
      if (own < 0) continue;
      const other = updater[version]!;
      updater[version] = transaction;
      if (other < 0 || other === transaction || findings.has("lost update")) continue;
      const others = observations.installedBy(other, key);
      const steps = [
        { from: other, to: transaction, relation: relations.rw, version: own },
        { from: transaction, to: other, relation: relations.rw, version: others },
      ];
      const anomaly = anomalyOf(observations, "lost update", steps);
      findings.add("lost update", { ...anomaly, key: observations.keys[key] });
    }
  }
}
