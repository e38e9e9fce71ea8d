/**
 * What a branch of a repository in a folder points at, read from its files: cheap enough to ask every second, where
 * `git ls-remote` starts two processes. https://git-scm.com/docs/gitrepository-layout
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const COMMIT_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** undefined where the files do not say so plainly (no such branch, symbolic references, reftable): ask git then. */
export async function folderBranchHead(folder: string, branch: string): Promise<string | undefined> {
  const gitFolder = (await isFolder(join(folder, ".git"))) ? join(folder, ".git") : folder;
  const name = `refs/heads/${branch}`;
  if (name.split("/").includes("..")) return undefined;
  const loose = (await textOf(join(gitFolder, name)))?.trim();
  if (loose !== undefined) return COMMIT_ID.test(loose) ? loose : undefined;
  const packed = await textOf(join(gitFolder, "packed-refs"));
  const line = packed?.split("\n").find((candidate) => candidate.endsWith(` ${name}`));
  const commitId = line?.slice(0, line.indexOf(" "));
  return commitId !== undefined && COMMIT_ID.test(commitId) ? commitId : undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(absent))?.isDirectory() ?? false;
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(absent);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EISDIR") return undefined;
  throw error;
}
