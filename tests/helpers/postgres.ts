/**
 * A PostgreSQL for tests: the server that SLIPWAY_TEST_POSTGRES names (a URL of a role which may create databases), else
 * one of its own from Debian's `postgresql`, in a temporary folder and on a socket that only this user can reach. A
 * cluster that the machine runs already is never touched.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { canInstallPackages, installPackages } from "#setup/apt.ts";
import { pathTo } from "#setup/command.ts";

export interface TestPostgres extends AsyncDisposable {
  /** A database of its own, gone at the end. */
  readonly url: string;
}

/** Nothing here outlives the tests, so nothing is made safe against power cuts. */
const SETTINGS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses="];
const NEEDED =
  "These tests need PostgreSQL: install it (Debian: postgresql) or name a server with SLIPWAY_TEST_POSTGRES.";
const START_WITHIN_MS = 30_000;
/** From this version on a database can have ICU's collation. */
const FIRST_WITH_ICU_DATABASES = 150_000;

export async function testPostgres(): Promise<TestPostgres> {
  const given = process.env.SLIPWAY_TEST_POSTGRES;
  const server = given ? { url: given, stop: async () => {} } : await ownServer();
  try {
    const name = `slipway_test_${randomBytes(6).toString("hex")}`;
    await createDatabase(server.url, name);
    return {
      url: withDatabase(server.url, name),
      async [Symbol.asyncDispose]() {
        await query(server.url, `drop database "${name}" with (force)`);
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Where the server can, the database sorts text like a dictionary: as users' databases do, and as SQLite does not. */
async function createDatabase(server: string, name: string): Promise<void> {
  const [row] = await query(server, "select current_setting('server_version_num')::int as version");
  const like =
    Number(row?.version) >= FIRST_WITH_ICU_DATABASES
      ? "template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'"
      : "template template0 encoding 'UTF8'";
  await query(server, `create database "${name}" ${like}`);
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** The URL of an empty place for tables in that database: as good as a database of its own and much quicker to have. */
export async function newSchema(database: string): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await query(database, `create schema ${name}`);
  const url = new URL(database);
  url.searchParams.set("options", `-c search_path=${name}`);
  return url.href;
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

async function ownServer(): Promise<Server> {
  const programs = await programsFolder();
  const user = await serverUser();
  const folder = await mkdtemp("/tmp/slipway-pg-"); // a socket's path has no more than 107 characters
  if (user) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const start = (program: string, args: readonly string[]) =>
    spawn(join(programs, program), args, { ...user, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const initialised = start("initdb", [
    ...["--pgdata", data, "--username", "slipway", "--auth", "trust"],
    ...["--locale=C", "--encoding=UTF8", "--no-sync"],
  ]);
  await succeeded("initdb", initialised);
  const settings = [...SETTINGS, `unix_socket_directories=${folder}`, "unix_socket_permissions=0700"];
  const server = start("postgres", ["-D", data, ...settings.flatMap((setting) => ["-c", setting])]);
  const ended = once(server, "exit");
  // Also where the test process ends without having come to its end.
  const kill = () => void server.kill("SIGQUIT");
  process.once("exit", kill);
  const stop = async () => {
    process.off("exit", kill);
    server.kill("SIGINT"); // "fast": ends the sessions that are left
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const url = `postgres://slipway@${encodeURIComponent(folder)}/postgres`;
  try {
    await answers(url, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function succeeded(name: string, child: ChildProcess): Promise<void> {
  const output = outputOf(child);
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${output()}`);
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const output = outputOf(server);
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    try {
      await query(url, "select 1");
      return;
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}: ${output()}`);
      if (performance.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

function outputOf(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return () => output.trim();
}

/** Debian keeps the server's programs off the PATH, a folder for each version. */
async function programsFolder(): Promise<string> {
  const found = await installedPrograms();
  if (found) return found;
  if (!canInstallPackages()) throw new Error(NEEDED);
  await installPackages(["postgresql"], (line) => void process.stderr.write(`${line}\n`)).catch((cause: unknown) => {
    throw new Error(NEEDED, { cause });
  });
  const installed = await installedPrograms();
  if (!installed) throw new Error("Debian's postgresql was installed and brought no initdb.");
  return installed;
}

async function installedPrograms(): Promise<string | undefined> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(root, version, "bin"));
  for (const folder of newestFirst) {
    if ((await readdir(folder).catch(() => [] as string[])).includes("initdb")) return folder;
  }
  return pathTo("initdb")?.replace(/\/initdb$/, "");
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. Else undefined. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres");
  if (!user) throw new Error("PostgreSQL does not run as root, and this machine has no user postgres.");
  return { uid: Number(user[2]), gid: Number(user[3]) };
}
