// Days on which somebody does not hear what happens, or hears more than it should.
import { expect } from "vitest";
import type { Day } from "./day.js";
import { commitOften, makeKeys, Mirror, writeMuch } from "./mirror.js";

const prefix = "watched/";

export const watchCut: Day = {
  number: 7,
  title: "a watch is cut off for 10,000 writes",
  needs: "clients",
  async play(world) {
    const cut = world.hasServer ? await world.proxy() : undefined;
    const watcher = await world.client(cut && { address: cut.address });
    const writer = await world.client();
    await writeMuch(writer.store, prefix, 100);
    const watch = watcher.store.watch(prefix);
    const mirror = new Mirror();
    const first = await watch.next();
    mirror.apply(first.value!);
    await world.until(() => mirror.isTrue(writer.store, prefix));
    // Where there is no network, nobody listens meanwhile.
    await cut?.proxy.refuse();
    await writeMuch(writer.store, prefix, 10_000);
    await cut?.proxy.heal();
    mirror.follow(watch);
    await world.until(() => mirror.isTrue(writer.store, prefix));
    await writeMuch(writer.store, prefix, 100);
    await world.until(() => mirror.isTrue(writer.store, prefix));
    await watch.return?.();
  },
};

export const compaction: Day = {
  number: 8,
  title: "the log is compacted while a watcher is away",
  needs: "clients",
  async play(world) {
    const { store } = await world.client();
    await writeMuch(store, prefix, 100);
    const { entries, revision } = await store.read({ prefix });
    const mirror = new Mirror(entries.map(({ key, modified }) => [key, modified]));
    await writeMuch(store, prefix, 2000);
    // More commits than any log keeps that counts them.
    await commitOften(store, prefix, 1200);
    await world.place.compact?.();
    const watch = store.watch(prefix, { from: revision });
    mirror.follow(watch);
    await world.until(() => mirror.isTrue(store, prefix));
    await watch.return?.();
  },
};

export const massExpiry: Day = {
  number: 10,
  title: "many sessions expire at once",
  needs: "processes",
  async play(world) {
    const [crowd, { store }] = [await world.remoteParty("crowd"), await world.client()];
    // So that the first live when the last is opened.
    await crowd.openSessions(100, 3 * world.ttlMs, prefix);
    const mirror = new Mirror();
    const watch = store.watch(prefix);
    mirror.follow(watch);
    await world.until(() => mirror.state.size === 100);
    await crowd.kill();
    // The keys go, the watcher is told of each, and nothing is left of the sessions.
    await world.until(() => mirror.state.size === 0);
    await world.until(async () => {
      const { entries, sessions = [] } = await store.read({ prefix, sessions: true });
      return entries.length + sessions.length === 0;
    });
    await watch.return?.();
  },
};

export const oneWakeUp: Day = {
  number: 21,
  title: "of 1,000 watchers one is woken by each release",
  needs: "clients",
  async play(world) {
    const through = world.hasServer ? await world.proxy() : undefined;
    const { store } = await world.client(through && { address: through.address });
    const releaser = await world.client();
    await makeKeys(releaser.store, prefix, 1000);
    const watches = Array.from({ length: 1000 }, (_, index) =>
      store.watch(`${prefix}${index}`, { exact: true }),
    );
    await Promise.all(watches.map((watch) => watch.next()));
    const woken: number[] = [];
    const wake = (index: number) => () => {
      woken.push(index);
    };
    // Those that are not woken end with the day.
    watches.forEach((watch, index) => void watch.next().then(wake(index), () => undefined));
    const heard = () => through?.proxy.passed("client") ?? 0;
    let quiet = heard();
    await world.until(async () => {
      const before = quiet;
      await world.pause(300);
      quiet = heard();
      return quiet - before < 1024;
    });
    for (let index = 0; index < 20; index++) {
      await releaser.store.commit({ then: [{ kind: "delete", key: `${prefix}${index}` }] });
      await world.until(() => woken.length > index);
    }
    await world.pause(200);
    expect(woken).toEqual(Array.from({ length: 20 }, (_, index) => index));
    // Nor did the server talk to the others: a message and a small answer for each.
    expect(heard() - quiet).toBeLessThan(20 * 4096);
    for (const watch of watches) await watch.return?.();
  },
};
