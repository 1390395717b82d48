/** What the tests ask of a server behind the engine's back, by its JSON gateway. */
export async function gateway(
  port: number,
  path: string,
  body: object,
  token?: string,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/v3/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    ...(token !== undefined && { headers: { authorization: token } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`etcd's gateway says: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

/** From now on everybody must log in: "ann", who may touch all keys of a namespace, and "root". */
export async function requirePasswords(port: number, namespace: string): Promise<void> {
  for (const name of ["root", "ann"]) await gateway(port, "auth/user/add", { name, password: `${name}'s` });
  for (const name of ["root", "team"]) await gateway(port, "auth/role/add", { name });
  const perm = { permType: "READWRITE", ...rangeOf(namespace) };
  await gateway(port, "auth/role/grant", { name: "team", perm });
  await gateway(port, "auth/user/grant", { user: "root", role: "root" });
  await gateway(port, "auth/user/grant", { user: "ann", role: "team" });
  await gateway(port, "auth/enable", {});
}

/** From now on ann may touch nothing. */
export async function revoke(port: number, namespace: string): Promise<void> {
  const { token } = await gateway(port, "auth/authenticate", { name: "root", password: "root's" });
  await gateway(port, "auth/role/revoke", { role: "team", ...rangeOf(namespace) }, String(token));
}

function rangeOf(namespace: string): { key: string; range_end: string } {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return { key: base64(`${namespace}/`), range_end: base64(`${namespace}0`) };
}
