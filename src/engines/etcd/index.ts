export type { EtcdStore } from "./etcd-store.js";
export { etcdStoreAt, openEtcdStore, type EtcdTls, type OpenEtcdOptions } from "./open-etcd-store.js";
