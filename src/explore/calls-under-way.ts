/** How much the process waits for of the machine, such as sockets, files and look-ups; timers aside. */
export function callsUnderWay(): number {
  const isCall = (kind: string) => kind !== "Timeout" && kind !== "Immediate";
  return process.getActiveResourcesInfo().filter(isCall).length;
}
