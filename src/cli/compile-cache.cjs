/**
 * Loaded before the first TypeScript file (`--require`): most of a start is stripping types and parsing, and the cache spares
 * both from the second start on. Turned on any later, even by the first line of the program, that program itself would be
 * stripped without it, for which Node loads a compiler of 17 MB that stays.
 *
 * Beside the dependencies, because what is in a cache is run: in the system's temporary folder others could write it.
 */
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");

enableCompileCache(join(__dirname, "../../node_modules/.cache/slipway"));
