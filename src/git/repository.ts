/** Reading other people's repositories: where they are, what a branch points at, and their content at a commit. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { GitError, git } from "./git.ts";

export interface Remote {
  /** A URL or an absolute folder. */
  readonly url: string;
  readonly token?: string;
}

export interface Commit {
  readonly id: string;
  readonly message: string;
  readonly authorDate: Date;
  readonly authorName: string;
}

const PROVIDER_SITES: Readonly<Record<string, string>> = {
  github: "https://github.com",
  githubenterpriseserver: "https://github.com",
  bitbucket: "https://bitbucket.org",
  gitlab: "https://gitlab.com",
};

/** `OWNER/REPO` and its nested groups; no step up, no option, no hidden folder. */
const FULL_REPOSITORY_ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/;
const COMMIT_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * Where a provider's repository is. `endpoint` is a folder or URL that holds `OWNER/REPO` or `OWNER/REPO.git`; undefined
 * means the provider's own site. Throws GitError for an id that is none.
 */
export function repositoryUrl(provider: string, fullRepositoryId: string, endpoint: string | undefined): string {
  if (!FULL_REPOSITORY_ID.test(fullRepositoryId)) {
    throw new GitError(`"${fullRepositoryId}" is not a repository: write OWNER/REPOSITORY`);
  }
  const base = endpoint ?? PROVIDER_SITES[provider.toLowerCase()];
  if (base === undefined) throw new GitError(`There is no known site of the provider ${provider}`);
  if (/^[a-z][a-z+]*:\/\//.test(base)) return `${base.replace(/\/$/, "")}/${fullRepositoryId}.git`;
  const folder = resolve(base, fullRepositoryId);
  return existsSync(folder) ? folder : `${folder}.git`;
}

/** The repository's id in a clone URL such as `https://github.com/OWNER/REPO.git`; undefined where it is not of that site. */
export function repositoryIdOf(cloneUrl: string, provider: string): string | undefined {
  const site = PROVIDER_SITES[provider.toLowerCase()];
  if (!site || !cloneUrl.startsWith(`${site}/`)) return undefined;
  return cloneUrl.slice(site.length + 1).replace(/(\.git)?\/?$/, "");
}

/** The commit that a branch points at; undefined where there is no such branch. Throws GitError for a missing repository. */
export async function branchHead(remote: Remote, branch: string): Promise<string | undefined> {
  return (await references(remote, [`refs/heads/${branch}`]))[0]?.commitId;
}

/** What the remote's references point at; patterns as in `git ls-remote`. */
export async function references(
  { url, token }: Remote,
  patterns: readonly string[],
): Promise<{ name: string; commitId: string }[]> {
  const output = await git(["ls-remote", "--", url, ...patterns], token ? { token } : {});
  return output
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [commitId = "", name = ""] = line.split("\t");
      return { name, commitId };
    });
}

/**
 * Resolves what a person calls a source version: a commit id (full), a branch, a tag, `pr/N`, or a full reference name.
 * undefined where the repository has none of that name. "" is the default branch.
 */
export async function resolveVersion(remote: Remote, version: string): Promise<string | undefined> {
  if (COMMIT_ID.test(version)) return version;
  const pullRequest = /^pr\/(\d+)$/.exec(version)?.[1];
  const names = version.startsWith("refs/")
    ? [version]
    : pullRequest
      ? [`refs/pull/${pullRequest}/head`]
      : version === ""
        ? ["HEAD"]
        : [`refs/heads/${version}`, `refs/tags/${version}^{}`, `refs/tags/${version}`];
  const found = new Map((await references(remote, names)).map(({ name, commitId }) => [name, commitId]));
  return names.map((name) => found.get(name)).find((commitId) => commitId !== undefined);
}

/** A temporary clone that holds one commit. Dispose of it. */
export class Checkout implements AsyncDisposable {
  readonly folder: string;
  readonly commit: Commit;

  private constructor(folder: string, commit: Commit) {
    this.folder = folder;
    this.commit = commit;
  }

  /**
   * Fetches `commitId` with its history (`depth` commits of it; 0: all). With `workTree` the files are there, else only
   * the objects, for `zip`. Throws GitError. `folder` is an empty folder that the checkout takes over: it removes it, on
   * failure too.
   */
  static async fetch(
    remote: Remote,
    commitId: string,
    options: {
      folder: string;
      depth?: number;
      workTree: boolean;
      submodules?: boolean;
      originUrl?: string;
      signal?: AbortSignal;
    },
  ): Promise<Checkout> {
    const { folder, depth = 0, workTree, signal } = options;
    const common = { cwd: folder, ...(remote.token && { token: remote.token }), ...(signal && { signal }) };
    try {
      if (!COMMIT_ID.test(commitId)) throw new GitError(`"${commitId}" is not a commit id`);
      await git(["init", "--quiet"], common);
      await git(["remote", "add", "origin", options.originUrl ?? remote.url], common);
      const shallow = depth > 0 ? [`--depth=${depth}`] : [];
      // A folder is named as a URL: only so does git honour --depth.
      const from = remote.url.startsWith("/") ? `file://${remote.url}` : remote.url;
      await git(["fetch", "--quiet", "--no-tags", ...shallow, "--", from, commitId], common);
      if (workTree) {
        await git(["checkout", "--quiet", "--detach", commitId], common);
        if (options.submodules) await git(["submodule", "update", "--init", "--recursive", "--quiet"], common);
      }
      return new Checkout(folder, await commitOf(folder, commitId));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** The commit's files as a zip, without .git. Equal commits give equal bytes. */
  zip(): Promise<Buffer> {
    return git(["archive", "--format=zip", this.commit.id], { cwd: this.folder });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

async function commitOf(folder: string, id: string): Promise<Commit> {
  const output = await git(["log", "-1", "--format=%aI%x00%an%x00%B", id], { cwd: folder });
  const [date = "", authorName = "", message = ""] = output.toString().split("\0");
  return { id, authorDate: new Date(date), authorName, message: message.trim() };
}
