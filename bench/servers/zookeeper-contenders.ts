// Locks on ZooKeeper; a place is its address.
import { once, type EventEmitter } from "node:events";
import { promisify } from "node:util";
import { alone } from "./alone.js";
import { lockstepAt, type Contenders } from "../contender.js";
import { loadPeer } from "../peers.js";

type Callback<T> = (error: Error | null, result: T) => void;

interface Client extends EventEmitter {
  connect: () => void;
  close: () => void;
  create: (path: string, data: null, mode: number, callback: Callback<string>) => void;
  mkdirp: (path: string, callback: Callback<string>) => void;
  getChildren: (path: string, callback: Callback<string[]>) => void;
  exists: (path: string, watcher: () => void, callback: Callback<object | null>) => void;
  remove: (path: string, callback: Callback<void>) => void;
}

interface NodeZookeeperClient {
  readonly createClient: (hosts: string) => Client;
  readonly CreateMode: { readonly EPHEMERAL_SEQUENTIAL: number };
}

export const contenders = {
  lockstep: lockstepAt,

  /** The recipe of ZooKeeper's own pages: who is not the first waits for the one before it to vanish. */
  async "by hand"(address) {
    const { default: zookeeper } = await loadPeer<{ default: NodeZookeeperClient }>("node-zookeeper-client");
    const { EPHEMERAL_SEQUENTIAL } = zookeeper.CreateMode;
    const client = zookeeper.createClient(new URL(address).host);
    client.connect();
    await once(client, "connected");
    const create = promisify(client.create.bind(client));
    const getChildren = promisify(client.getChildren.bind(client));
    const remove = promisify(client.remove.bind(client));

    const place = async (directory: string) => {
      const path = await create(`${directory}/lock-`, null, EPHEMERAL_SEQUENTIAL);
      const own = path.slice(directory.length + 1);
      for (;;) {
        const line = (await getChildren(directory)).sort();
        const before = line[line.indexOf(own) - 1];
        if (before === undefined) return () => remove(path);
        await vanished(client, `${directory}/${before}`);
      }
    };
    return {
      lock(name) {
        const directory = `/by-hand/${name}`;
        let made: Promise<unknown> | undefined;
        return async () => {
          await (made ??= promisify(client.mkdirp.bind(client))(directory));
          return place(directory);
        };
      },
      async close() {
        client.close();
      },
    };
  },
} satisfies Contenders;

function vanished(client: Client, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exists(path, resolve, (error, stat) => {
      if (error) reject(error);
      else if (!stat) resolve();
    });
  });
}

export const subjects = alone(contenders);
