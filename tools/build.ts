/**
 * Bundles the program into `dist/`, from which `bin/slipway` starts it while no source is newer: hundreds of small files,
 * kysely's and the SDK's above all, take longer to find and link than to run, and stay in memory as such. Without `dist/` the
 * sources run as they are, which takes twice as long to start.
 *
 * Files that are loaded on demand (a command, a service's operations) stay files of their own.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type OutputFile, type Plugin } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = `${ROOT}dist`;
const PROGRAM = "main.js";
/** The files of the newest builds, newest first. */
const BUILDS = "builds.json";
const KEPT_BUILDS = 10;

/** What lies beside a source file (scripts, data) is found there from the bundle too. */
const ownPlaces: Plugin = {
  name: "own places",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
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

/** A service's `index.ts` wants of the SDK's package the client and the schemas, not a class for every command. */
const models: Plugin = {
  name: "models",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\/client-/ }, ({ path, importer }) =>
      /\/src\/services\/[^/]+\/index\.ts$/.test(importer) ? { path, namespace: "model" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "model" }, ({ path }) => {
      const modules = `${ROOT}node_modules/${path}/dist-es`;
      const exported = readFileSync(`${modules}/index.js`, "utf8").split("\n");
      const wanted = exported.filter((line) => /Client"|\/schemas\//.test(line));
      return { contents: wanted.join("\n"), resolveDir: modules };
    });
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

/** Sources that are saved from now on may not be in the bundle: it is to count as older than they are. */
const startedAt = new Date();
const { outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: ["src/cli/main.ts"],
  outdir: DIST,
  write: false,
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
  plugins: [ownPlaces, models, httpByProperty, otherDependencies],
  logLevel: "warning",
});

// A Slipway that runs loads files of its own bundle later on. They are named by their contents, so bundles share the folder.
mkdirSync(DIST, { recursive: true });
const builds = [outputFiles.map(({ path }) => basename(path)), ...earlierBuilds()].slice(0, KEPT_BUILDS);
writeWhole(BUILDS, JSON.stringify(builds));
// The program comes last: it is what names the others, and what bin/slipway looks at.
const isProgram = (file: OutputFile) => basename(file.path) === PROGRAM;
for (const { path, contents } of outputFiles.sort((a, b) => Number(isProgram(a)) - Number(isProgram(b)))) {
  writeWhole(basename(path), contents);
}
const kept = new Set([BUILDS, ...builds.flat()]);
for (const name of readdirSync(DIST)) if (!kept.has(name)) rmSync(`${DIST}/${name}`, { force: true });
// Node's compile cache would keep what it has of earlier bundles for ever.
rmSync(`${ROOT}node_modules/.cache/slipway`, { recursive: true, force: true });

function earlierBuilds(): string[][] {
  const file = `${DIST}/${BUILDS}`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

function writeWhole(name: string, contents: string | Uint8Array): void {
  const unfinished = `${DIST}/${name}.${process.pid}`;
  writeFileSync(unfinished, contents);
  utimesSync(unfinished, startedAt, startedAt);
  renameSync(unfinished, `${DIST}/${name}`);
}
