import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, isLockstepError, Lockstep, type LockstepError } from "lockstep";
import { systemClock } from "lockstep/base";
import { frozenClock } from "lockstep/conformance";
import { openLmdbStore } from "lockstep/lmdb";
import { expect, onTestFinished, test } from "vitest";
import { sharedFileSystem } from "../../src/engines/lmdb/directory.js";
import { Child } from "./child.js";
import { temporaryDirectory } from "./directories.js";

async function refusal(opening: Promise<unknown>): Promise<LockstepError> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isLockstepError(error)) expect.unreachable(`not refused: ${String(error)}`);
  return error;
}

async function filled(): Promise<string> {
  const directory = await temporaryDirectory();
  const ls = await connect(`lmdb:${directory}`);
  for (let i = 0; i < 50; i++) await ls.kv.put(`key ${i}`, "x".repeat(2000));
  await ls.close();
  return directory;
}

const anotherBoot = "f".repeat(32);

/** The journal that holds what was written, as opposed to the empty one that the directory began with. */
async function journalOf(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".journal"));
  return join(directory, names.find((name) => !name.includes("base")) ?? "");
}

test("a directory written by a newer version", async () => {
  const directory = await filled();
  const path = await journalOf(directory);
  await writeFile(path, (await readFile(path, "latin1")).replace("journal 1", "journal 2"), "latin1");
  for (const options of [{}, { boot: anotherBoot }]) {
    const error = await refusal(openLmdbStore(directory, options));
    expect(error.code).toBe("unsupported");
    expect(error.message).toContain("upgrade lockstep");
  }
});

test("a damaged directory", async () => {
  const directory = await filled();
  const path = await journalOf(directory);
  const whole = await readFile(path);
  for (const damage of [
    () => writeFile(path, "these are not the bytes of a journal"),
    () => writeFile(path, Buffer.alloc(20_000, 7)),
    () => writeFile(path, whole.fill(0xff, 5000, 5010)),
  ]) {
    await damage();
    const error = await refusal(openLmdbStore(directory, { boot: anotherBoot }));
    expect(error.code).toBe("unavailable");
    expect(error.message).toMatch(/\.journal .*backup/);
  }
});

test("a base that was cut short", async () => {
  const directory = await filled();
  const next = await openLmdbStore(directory, { boot: anotherBoot });
  await next.close();
  const [name = ""] = (await readdir(directory)).filter((file) => file.includes("base"));
  await truncate(join(directory, name), 30_000);
  const error = await refusal(openLmdbStore(directory, { boot: "e".repeat(32) }));
  expect(error.message).toMatch(/base\.journal is damaged/);
});

test("but what a crash tore off the end of a journal is passed over", async () => {
  const directory = await filled();
  const path = await journalOf(directory);
  const whole = await readFile(path);
  await writeFile(path, Buffer.concat([whole, whole.subarray(30, 1000)]));
  await using ls = new Lockstep(await openLmdbStore(directory, { boot: anotherBoot }));
  expect(await ls.kv.list()).toHaveLength(50);
});

test("a damaged LMDB file", async () => {
  for (const kind of ["live", "gate"]) {
    const directory = await filled();
    const names = (await readdir(directory)).filter((file) => file.endsWith(".mdb"));
    const path = join(directory, names.find((name) => name.startsWith(kind)) ?? "");
    await writeFile(path, Buffer.alloc(20_000, 7));
    const error = await refusal(openLmdbStore(directory));
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain(`${path} is damaged`);
  }
});

test("a path that is no directory", async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, "file"), "");
  const error = await refusal(connect(`lmdb:${directory}/file`));
  expect(error.code).toBe("unavailable");
  expect(error.message).toContain("file of that name");
  expect((await refusal(connect("lmdb:"))).code).toBe("bad-input");
});

test("an address that a shell or a browser would understand, and the system does not", async () => {
  for (const address of ["lmdb://./coordination", "lmdb://host/directory", "lmdb:~/coordination"]) {
    const error = await refusal(connect(address));
    expect(error.code).toBe("bad-input");
    expect(error.message).toContain('"lmdb:./directory"');
  }
});

test("an unknown address", async () => {
  for (const address of ["", "nothing", ":x", "mysql://x", "Lmdb:./x", "constructor:x", 7 as never]) {
    const error = await refusal(connect(address));
    expect(error.code).toBe("bad-input");
    expect(error.message).toContain('"lmdb:./directory"');
  }
});

test("nonsense for a time to live changes nothing", async () => {
  const directory = await temporaryDirectory();
  for (const ttlMs of [0, -1, NaN, Infinity, "10" as never, 1e15]) {
    const error = await refusal(connect(`lmdb:${directory}/new`, { ttlMs }));
    expect(error.code).toBe("bad-input");
  }
  await expect(readdir(join(directory, "new"))).rejects.toThrow("ENOENT");
});

test.skipIf(process.getuid?.() !== 0)("no permission", async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o700);
  const child = new Child("./opener.ts", [directory], { uid: 65534 });
  const { code, message } = (await child.next()) as { code: string; message: string };
  expect(code).toBe("unavailable");
  expect(message).toContain("permission");
});

test("a file system that other machines share", () => {
  expect(sharedFileSystem(0x6969)).toBe("NFS");
  expect(sharedFileSystem(0xff534d42 | 0)).toBe("CIFS");
  expect(sharedFileSystem(0xef53)).toBeUndefined();
});

const canMount = process.platform === "linux" && process.getuid?.() === 0 && tryMount();

test.skipIf(!canMount)(
  "a full disk is an error that says so; nothing is lost, and room heals it",
  async () => {
    const directory = join(await temporaryDirectory(), "disk");
    await mkdir(directory);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]);
    onTestFinished(() => {
      execFileSync("umount", ["--lazy", directory]);
    });
    await using ls = await connect(`lmdb:${directory}`, { ttlMs: 60_000 });
    const held = await ls.lock("held before").acquire();
    await ls.kv.put("kept", "before");
    await using frozen = new Lockstep(await openLmdbStore(directory, { clock: frozenClock(systemClock) }));
    const session = await frozen.store.openSession({ ttlMs: 200 });
    const bound = { kind: "put" as const, key: "bound", value: Buffer.from("1"), session: session.id };
    expect((await frozen.store.commit({ then: [bound] })).ok).toBe(true);
    let error: unknown;
    for (let i = 0; error === undefined && i < 100; i++) {
      await ls.kv.put(`filling ${i}`, "x".repeat(50_000)).catch((reason: unknown) => (error = reason));
    }
    expect(isLockstepError(error)).toBe(true);
    expect(String(error)).toMatch(/disk/);
    expect((await ls.kv.get("kept"))?.text).toBe("before");
    expect(held.isHeld).toBe(true);
    // A session expires in the very transaction that the full disk undoes; it expires again in the next one.
    await sleep(300);
    await expect(ls.kv.put("filling again", "x".repeat(900_000))).rejects.toThrow(/disk/);
    execFileSync("mount", ["-o", "remount,size=64m", directory]);
    expect((await ls.store.read({ key: "bound" })).entries).toEqual([]);
    await ls.kv.put("kept", "after");
    expect((await ls.kv.get("kept"))?.text).toBe("after");
    await held.release();
    await ls.lock("another").run((other) => expect(other.token).toBeGreaterThan(held.token));
  },
);

function tryMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
