export { openZookeeperStore, zookeeperStoreAt, type OpenZookeeperOptions } from "./open-zookeeper-store.js";
export type { ZookeeperStore } from "./zookeeper-store.js";
