/**
 * Loads a peer, of either kind of module, from the folder in which the peers are installed.
 *
 * @param {string} name
 * @returns {Promise<unknown>}
 */
export function load(name) {
  return import(name);
}
