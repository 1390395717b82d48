import { LockstepError } from "../../base/errors.js";

/** So many counters of births share all keys of a namespace. */
const shardCount = 64;

/**
 * Where everything lies in ZooKeeper's tree. The key `lock/a/7` of the namespace `app` is the node
 *
 *     /app/keys/d:lock/d:a/k:7
 *
 * Directories are containers, which the server removes when they have been empty for a while. Beside `keys`
 * there are `sessions`, with a node for each that lives, and `births`: see shardOf.
 */
export class Layout {
  readonly root: string;
  readonly keys: string;
  readonly sessions: string;
  readonly births: string;

  /** The namespace may be a path of several names. */
  constructor(namespace: string) {
    checkNamespace(namespace);
    this.root = `/${namespace}`;
    this.keys = `${this.root}/keys`;
    this.sessions = `${this.root}/sessions`;
    this.births = `${this.root}/births`;
  }

  pathOf(key: string): string {
    const slash = key.lastIndexOf("/") + 1;
    return `${this.directoryOf(key)}/${leafMark}${escape(key.slice(slash))}`;
  }

  /** The directory of everything that begins with this prefix, up to its last slash. */
  directoryOf(prefix: string): string {
    return this.directoriesOf(prefix).at(-1) ?? this.keys;
  }

  /** All directories on the way to a key, the outermost first. */
  directoriesOf(key: string): string[] {
    const found: string[] = [];
    let path = this.keys;
    for (const name of key.split("/").slice(0, -1)) found.push((path += `/${directoryMark}${escape(name)}`));
    return found;
  }

  /** The key of a node; undefined for a directory, or what is not ours. */
  keyAt(path: string): string | undefined {
    if (!path.startsWith(`${this.keys}/`)) return undefined;
    const names = path.slice(this.keys.length + 1).split("/");
    if (!isLeaf(names.at(-1)!)) return undefined;
    return names.map(nameOf).join("/");
  }

  sessionAt(id: string): string {
    return `${this.sessions}/${leafMark}${id}`;
  }

  /**
   * The counter that every creation of this key raises, and that of some other keys. ZooKeeper checks a node
   * by the version of its data, which begins again when the node is made again. So whoever acts on what a key
   * was like checks that of its counter too: while it stands still, no key that was there is another one now,
   * and no key that was absent is there.
   */
  shardOf(key: string): string {
    let hash = 0;
    for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
    return this.#shard((hash >>> 0) % shardCount);
  }

  allShards(): string[] {
    return Array.from({ length: shardCount }, (_, index) => this.#shard(index));
  }

  #shard(index: number): string {
    return `${this.births}/${leafMark}${index}`;
  }
}

const directoryMark = "d:";
const leafMark = "k:";

/** Whether a node of this name holds a key, or a session; else it is a directory. */
export function isLeaf(nodeName: string): boolean {
  return nodeName.startsWith(leafMark);
}

/** The part of the key that a node stands for. */
export function nameOf(nodeName: string): string {
  return unescape(nodeName.slice(leafMark.length));
}

/** ZooKeeper takes no node whose name has one of these, and looks at UTF-16 units one by one. */
const forbidden = /[%\u0080-\u009f\ud800-\uf8ff\ufff0-\uffff]/g;

function escape(name: string): string {
  return name.replace(forbidden, (unit) => {
    return unit === "%" ? "%%" : `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function unescape(name: string): string {
  return name.replace(/%(%|[0-9a-f]{4})/g, (_, code: string) => {
    return code === "%" ? "%" : String.fromCharCode(Number.parseInt(code, 16));
  });
}

// eslint-disable-next-line no-control-regex -- control characters are the very thing to find
const unprintable = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

function checkNamespace(namespace: string): void {
  const names = namespace.split("/");
  const isBad = (name: string) => /^\.{0,2}$/.test(name) || name.search(unprintable) >= 0;
  if (!names.some(isBad) && names[0] !== "zookeeper") return;
  throw new LockstepError(
    "bad-input",
    `the namespace ${JSON.stringify(namespace)} cannot be a path of ZooKeeper's; give names with slashes ` +
      'between them, as in "app/locks"',
  );
}
