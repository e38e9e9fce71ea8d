/**
 * Bundles the program into `dist/`, from which `bin/slipway` starts it while no source is newer: hundreds of small files,
 * kysely's and the SDK's above all, take longer to find and link than to run, and stay in memory as such. Without `dist/` the
 * sources run as they are, which takes twice as long to start.
 *
 * Files that are loaded on demand (a command, a service's operations) stay files of their own.
 */
import { readFile, rename, rm } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = `${ROOT}dist`;

/** What lies beside a source file (scripts, data) is found there from the bundle too. */
const ownPlaces: Plugin = {
  name: "own places",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const place = `new URL(${JSON.stringify(`../${relative(ROOT, path)}`)}, import.meta.url).href`;
      return { loader: "ts", contents: source.replaceAll("import.meta.url", place) };
    });
  },
};

/**
 * `import … from "node:http"` reads every name of it, `WebSocket` among them, for which Node loads all of undici: a tenth of a
 * start. By property nothing is read that is not used.
 */
const httpByProperty: Plugin = {
  name: "http by property",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: "http", namespace: "builtin" }));
    onLoad({ filter: /.*/, namespace: "builtin" }, () => ({
      contents: 'module.exports = process.getBuiltinModule("node:http");',
    }));
  },
};

/** What is read at every start; all of it has ES modules. The rest is left to Node: it is loaded on demand, from where it is. */
const BUNDLED = /^(@aws-sdk\/|@smithy\/|kysely$|jose$|re2js$)/;

const otherDependencies: Plugin = {
  name: "other dependencies",
  setup({ onResolve }) {
    onResolve({ filter: /^@?[a-z]/ }, ({ path, importer }) =>
      importer.startsWith(`${ROOT}src/`) && !BUNDLED.test(path) ? { external: true } : undefined,
    );
  },
};

const unfinished = `${DIST}.${process.pid}`;
await build({
  absWorkingDir: ROOT,
  entryPoints: ["src/cli/main.ts"],
  outdir: unfinished,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  // The SDK's ES modules: without CommonJS's wrappers they are evaluated in half the time.
  mainFields: ["module", "main"],
  // What bundled CommonJS requires of Node.
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
  plugins: [ownPlaces, httpByProperty, otherDependencies],
  logLevel: "warning",
});
// Node's compile cache keeps what was cached of earlier bundles for ever.
await rm(`${ROOT}node_modules/.cache/slipway`, { recursive: true, force: true });
await rm(DIST, { recursive: true, force: true });
await rename(unfinished, DIST);
