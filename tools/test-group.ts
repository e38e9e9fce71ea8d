/** Registers the tests of all the files it is given in this one process: loading Slipway for each takes longer than its tests. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)).href);
