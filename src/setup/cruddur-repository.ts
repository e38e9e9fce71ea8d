/**
 * The example application's repository as the demo and the tests need it: `OWNER/aws-bootcamp-cruddur-2023.git`, bare, below
 * a folder of repositories, with the branches `main` and `prod`. Everything is written with `git fast-import`
 * (https://git-scm.com/docs/git-fast-import), with fixed authors and dates: the same calls give the same commit ids.
 */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, failure, run } from "./command.ts";

export const CRUDDUR_REPOSITORY = "aws-bootcamp-cruddur-2023";
const EXAMPLE = fileURLToPath(new URL("../../examples/cruddur", import.meta.url));
const VERSION_FILE = "backend-flask/VERSION";

const AUTHOR = "Cruddur Developer <developer@cruddur.example>";
/** 2023-04-25T00:00:00Z; each further commit is a minute later. */
const FIRST_COMMIT_SECONDS = 1_682_380_800;

type Branch = "main" | "prod";

export interface CruddurRepository {
  /** The folder of repositories, which a connection's provider endpoint names. */
  readonly folder: string;
  readonly owner: string;
}

/**
 * Makes the repository with one commit, on both branches, of `examples/cruddur/backend-flask`; account and region are
 * written into its buildspec's `env` section and its Dockerfile. Returns the commit. Throws CommandError if it exists.
 */
export async function createCruddurRepository(
  options: CruddurRepository & { readonly account: string; readonly region: string },
): Promise<string> {
  const repository = repositoryPath(options);
  await mkdir(repository, { recursive: true });
  await git(repository, ["init", "--quiet", "--bare", "--initial-branch=main"]);
  const files = await exampleFiles(options.account, options.region);
  await importCommit(repository, "main", {
    message: "Say that the backend is well, and which version it is",
    number: 0,
    changes: files.map(({ path, executable, content }) => fileChange(path, content, executable)),
  });
  await git(repository, ["update-ref", "refs/heads/prod", "refs/heads/main", ""]);
  return tipOf(repository, "main");
}

/** Commits a new version of the app to a branch. Returns the commit. */
export async function commitVersion(
  options: CruddurRepository & { readonly branch: Branch; readonly version: string },
): Promise<string> {
  const repository = repositoryPath(options);
  const parent = await tipOf(repository, options.branch);
  await importCommit(repository, options.branch, {
    message: `Release version ${options.version}`,
    number: await commitCount(repository),
    parents: [parent],
    changes: [fileChange(VERSION_FILE, `${options.version}\n`, false)],
  });
  return tipOf(repository, options.branch);
}

/**
 * Merges `main` into `prod` as GitHub merges a pull request: a commit with both tips as parents, even where a fast-forward
 * would do. Returns the commit. Throws when `prod` has content that `main` has not, which the story never makes.
 */
export async function mergeIntoProd(options: CruddurRepository & { readonly pullRequest?: number }): Promise<string> {
  const repository = repositoryPath(options);
  const [main, prod] = await Promise.all([tipOf(repository, "main"), tipOf(repository, "prod")]);
  const base = await git(repository, ["merge-base", main, prod]);
  const [tree, baseTree, prodTree] = await Promise.all([main, base, prod].map((commit) => treeOf(repository, commit)));
  if (baseTree !== prodTree) throw new Error("The branch prod has changes of its own; merge it with git instead.");
  await importCommit(repository, "prod", {
    message: `Merge pull request #${options.pullRequest ?? 1} from ${options.owner}/main`,
    number: await commitCount(repository),
    parents: [prod, main],
    changes: [`M 040000 ${tree} ""\n`],
  });
  return tipOf(repository, "prod");
}

/** Where the repository is; a path that `git clone` takes. */
export function repositoryPath({ folder, owner }: CruddurRepository): string {
  return join(folder, owner, `${CRUDDUR_REPOSITORY}.git`);
}

interface ExampleFile {
  /** In the repository. */
  readonly path: string;
  readonly executable: boolean;
  readonly content: string;
}

async function exampleFiles(account: string, region: string): Promise<ExampleFile[]> {
  const entries = await readdir(join(EXAMPLE, "backend-flask"), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const inRepository = paths.filter((path) => !path.includes("__pycache__")).sort();
  return Promise.all(
    inRepository.map(async (file) => {
      const path = relative(EXAMPLE, file);
      const [text, { mode }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
      return { path, executable: (mode & 0o100) !== 0, content: withLiterals(path, text, account, region) };
    }),
  );
}

/** Writes account and region where a real file has them as literals. A buildspec's commands keep their variables. */
function withLiterals(path: string, text: string, account: string, region: string): string {
  const literally = (part: string) => part.replaceAll("$ACCOUNT_ID", account).replaceAll("$AWS_DEFAULT_REGION", region);
  if (path.endsWith("/Dockerfile")) return literally(text);
  if (!path.endsWith("/buildspec.yml")) return text;
  return text.replace(/^env:\n(?:[ \t].*\n)*/m, literally);
}

interface Commit {
  readonly message: string;
  /** How many commits the repository has already; sets the date. */
  readonly number: number;
  /** None for the repository's first. */
  readonly parents?: readonly string[];
  /** fast-import's file commands. */
  readonly changes: readonly string[];
}

async function importCommit(repository: string, branch: Branch, commit: Commit): Promise<void> {
  const person = `${AUTHOR} ${FIRST_COMMIT_SECONDS + 60 * commit.number} +0000`;
  const [from, ...merged] = commit.parents ?? [];
  const stream = [
    `commit refs/heads/${branch}\nauthor ${person}\ncommitter ${person}\n`,
    data(`${commit.message}\n`),
    ...(from === undefined ? [] : [`from ${from}\n`]),
    ...merged.map((parent) => `merge ${parent}\n`),
    ...commit.changes,
    "done\n",
  ];
  await feed("git", ["-C", repository, "fast-import", "--quiet", "--done"], stream.join(""));
}

function fileChange(path: string, content: string, executable: boolean): string {
  return `M ${executable ? "100755" : "100644"} inline ${path}\n${data(content)}`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** What a branch points at. */
export function commitOf(repository: CruddurRepository, branch: Branch): Promise<string> {
  return tipOf(repositoryPath(repository), branch);
}

async function tipOf(repository: string, branch: Branch): Promise<string> {
  return git(repository, ["rev-parse", "--verify", `refs/heads/${branch}^{commit}`]);
}

async function treeOf(repository: string, commit: string): Promise<string> {
  return git(repository, ["rev-parse", "--verify", `${commit}^{tree}`]);
}

async function commitCount(repository: string): Promise<number> {
  return Number(await git(repository, ["rev-list", "--count", "--all"]));
}

async function git(repository: string, args: readonly string[]): Promise<string> {
  return (await run("git", ["-C", repository, ...args], { environment: gitEnvironment() })).trim();
}

/** Nobody's configuration, hooks or templates. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_TEMPLATE_DIR: "" };
}

/** Runs a program to its end with this text as its input. */
function feed(command: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe"], env: gitEnvironment() });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (error) => reject(new CommandError(`${command} could not be started: ${error.message}`)));
    child.on("close", (status, signal) => {
      if (status === 0) resolve();
      else reject(new CommandError(failure(command, args, status ?? signal, stderr)));
    });
    // A program that ends early closes its input; its status says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
