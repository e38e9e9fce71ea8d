/**
 * What Node is started with, wherever Slipway starts itself; V8 takes such options only then. `bin/slipway` is a shell
 * script and has them written out.
 */
export const NODE_FLAGS: readonly string[] = [
  // New objects get 4 MB instead of 16: an idle Slipway is some 25 MB smaller.
  "--max-semi-space-size=4",
];
