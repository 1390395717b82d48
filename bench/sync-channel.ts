// Channel beside the channels of npm.
import type { Report } from "./report.js";
import { compare, paceTable } from "./sync/compare.js";

const columns = {
  handOver: "no room, one to one",
  buffered: "room for 64, one to one",
  crowded: "room for 64, ten to ten",
  iterated: "for await, room for 64",
  atOnce: "no await",
};

export async function syncChannel(): Promise<Report> {
  const comparison = await compare("channels", ["ts-chan", "@thi.ng/csp", "queueable"]);
  return {
    ...paceTable("Channel, items sent and received", comparison, columns),
    targets: Object.entries(columns).map(([workload, column]) =>
      comparison.target(`Channel, ${column}`, workload, 1),
    ),
    figures: comparison.figures(Object.keys(columns)),
  };
}
