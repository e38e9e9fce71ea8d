/**
 * What Node is started with, wherever Slipway starts itself; it takes such options only then. `bin/slipway` is a shell
 * script and has them written out.
 */
export const NODE_FLAGS: readonly string[] = [
  // New objects get 2 MB instead of 16: an idle Slipway is some 25 MB smaller.
  "--max-semi-space-size=2",
  `--require=${new URL("compile-cache.cjs", import.meta.url).pathname}`,
];
