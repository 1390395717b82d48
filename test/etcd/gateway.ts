/** What the tests ask of a server behind the engine's back, by its JSON gateway. */
export async function gateway(port: number, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/v3/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`etcd's gateway says: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** From now on everybody must log in: "ann", who may touch all keys of a namespace, and nobody else. */
export async function requirePasswords(port: number, namespace: string): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const all = { permType: "READWRITE", key: base64(`${namespace}/`), range_end: base64(`${namespace}0`) };
  for (const name of ["root", "ann"]) await gateway(port, "auth/user/add", { name, password: `${name}'s` });
  for (const name of ["root", "team"]) await gateway(port, "auth/role/add", { name });
  await gateway(port, "auth/role/grant", { name: "team", perm: all });
  await gateway(port, "auth/user/grant", { user: "root", role: "root" });
  await gateway(port, "auth/user/grant", { user: "ann", role: "team" });
  await gateway(port, "auth/enable", {});
}
