/**
 * Starts pipelines when their sources change. What a source was last seen at is in the database: a revision that differs
 * is recorded and starts the pipeline in one transaction, so each one starts it once, whatever happens to the process.
 */
import type { System } from "#gateway/context.ts";
import { folderBranchHead } from "#git/folder-head.ts";
import { GitError } from "#git/git.ts";
import { branchHead, type Remote } from "#git/repository.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { globMatcher } from "../glob.ts";
import { ActionFailure, after } from "./actions/action-provider.ts";
import { connectedRemote, sourceOf } from "./actions/codestar-source-connection.ts";
import { activeExecutions } from "./execution-store.ts";
import type { Declaration, DeclaredAction, Pipeline } from "./model.ts";
import { startExecution } from "./progression.ts";
import { currentStage, waitingAt } from "./states.ts";
import { currentDeclarations, findDeclaration, findPipelineById, putSourceHead, sourceHead } from "./store.ts";

export const WATCH_WORK = "codepipeline:watch";
/** Published with `OWNER/REPO` by whoever learns of a push: webhooks. */
const TOPIC = "source-changed";

const FOLDER_MS = 1_000;
const REMOTE_MS = 30_000;
/** Where the repository or the branch cannot be found. */
const UNREADABLE_MS = 5_000;

/** A connection is looked up anew after this long: every lookup is a call in the audit trail. */
const REMOTE_KEPT_MS = 60_000;
const MAX_REMOTES = 1_000;

export function registerWatch(system: System): void {
  const remotes = new Remotes(system);
  system.work.register(WATCH_WORK, ({ id }) => watch(system, id, remotes));
  system.bus.subscribe(TOPIC, (repository) => {
    wakeWatchers(system, repository).catch((error: unknown) =>
      system.log("error", "a pushed change could not be passed on; polling goes on", {
        repository,
        error: String(error),
      }),
    );
  });
}

/** Where sources are, kept for a while. */
class Remotes {
  readonly #system: System;
  readonly #known = new Map<string, { remote: Remote; until: number }>();

  constructor(system: System) {
    this.#system = system;
  }

  async of(pipeline: Pipeline, { configuration }: DeclaredAction): Promise<Remote> {
    const key = `${pipeline.id} ${sourceOf(configuration)}`;
    const now = this.#system.clock.now().getTime();
    const known = this.#known.get(key);
    if (known && known.until > now) return known.remote;
    const { remote } = await connectedRemote(this.#system, pipeline, configuration);
    if (this.#known.size >= MAX_REMOTES) this.#known.clear();
    this.#known.set(key, { remote, until: now + REMOTE_KEPT_MS });
    return remote;
  }
}

/** Also where a pipeline is watched already: it looks at once. Join the caller's transaction, then wake the work. */
export async function scheduleWatch(system: System, trx: Database, pipelineId: string): Promise<void> {
  await system.work.schedule(trx, WATCH_WORK, pipelineId);
}

async function wakeWatchers(system: System, repository: string): Promise<void> {
  for (const { pipeline, declaration } of await currentDeclarations(system.db)) {
    const sources = watchedSources(declaration);
    if (!sources.some(({ configuration }) => sameRepository(configuration.FullRepositoryId, repository))) continue;
    await scheduleWatch(system, system.db, pipeline.id);
  }
  system.work.wake();
}

/** Providers take names of owners and repositories in any case. */
function sameRepository(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

async function watch(system: System, pipelineId: string, remotes: Remotes): Promise<"done" | Date> {
  const pipeline = await findPipelineById(system.db, pipelineId);
  const declaration = pipeline && (await findDeclaration(system.db, pipeline.id, pipeline.version));
  if (!declaration) return "done";
  const sources = watchedSources(declaration);
  if (sources.length === 0) return "done";
  const waits: number[] = [];
  for (const source of sources) waits.push(await look(system, pipeline, declaration, source, remotes));
  return after(system.clock.now(), Math.min(...waits));
}

/** Looks at one source and returns the milliseconds until the next look. */
async function look(
  system: System,
  pipeline: Pipeline,
  declaration: Declaration,
  action: DeclaredAction,
  remotes: Remotes,
): Promise<number> {
  try {
    const remote = await remotes.of(pipeline, action);
    const head = await headOf(remote, action.configuration.BranchName!);
    if (head === undefined) return UNREADABLE_MS;
    await noteHead(system, pipeline, declaration, action, head);
    return remote.url.startsWith("/") ? FOLDER_MS : REMOTE_MS;
  } catch (error) {
    // A connection that is pending or a repository that is not there yet: the source action says so when it runs.
    if (error instanceof ActionFailure) return REMOTE_MS;
    if (error instanceof GitError) return UNREADABLE_MS;
    throw error;
  }
}

async function headOf(remote: Remote, branch: string): Promise<string | undefined> {
  const read = remote.url.startsWith("/") ? await folderBranchHead(remote.url, branch) : undefined;
  return read ?? branchHead(remote, branch);
}

async function noteHead(
  system: System,
  pipeline: Pipeline,
  declaration: Declaration,
  { configuration }: DeclaredAction,
  head: string,
): Promise<void> {
  const source = sourceOf(configuration);
  if ((await sourceHead(system.db, pipeline.id, source)) === head) return;
  await inTransaction(system.db, async (trx) => {
    const known = await sourceHead(trx, pipeline.id, source);
    if (known === head) return;
    if (known === undefined && (await isFetching(trx, pipeline, declaration))) return;
    await putSourceHead(trx, pipeline.id, source, head);
    // A source that was changed to another branch starts nothing by itself, as on AWS.
    if (known === undefined) return;
    const type = declaration.pipelineType === "V2" ? "WebhookV2" : "Webhook";
    await startExecution(system, trx, pipeline, declaration, {
      trigger: { type, detail: configuration.ConnectionArn! },
    });
  });
  system.work.wake();
}

/** An execution is about to see the source for the first time: what it finds is what later changes are measured by. */
async function isFetching(trx: Database, pipeline: Pipeline, declaration: Declaration): Promise<boolean> {
  const [sourceStage] = declaration.stages;
  const active = await activeExecutions(trx, pipeline.id);
  return active.some(({ state, version }) => {
    const stage = currentStage(state) ?? waitingAt(state);
    return version === pipeline.version && stage?.name === sourceStage?.name;
  });
}

/** The source actions whose changes start the pipeline. */
function watchedSources(declaration: Declaration): DeclaredAction[] {
  return (declaration.stages[0]?.actions ?? []).filter(
    (action) => action.actionTypeId.provider === "CodeStarSourceConnection" && startsOnChange(declaration, action),
  );
}

/** A trigger for the action takes the place of DetectChanges. */
function startsOnChange({ triggers = [] }: Declaration, { name, configuration }: DeclaredAction): boolean {
  const trigger = triggers.find(({ gitConfiguration }) => gitConfiguration?.sourceActionName === name);
  if (!trigger) return configuration.DetectChanges !== "false";
  const filters = trigger.gitConfiguration?.push ?? [];
  const branch = configuration.BranchName!;
  return filters.some(({ branches }) => {
    const matches = (patterns: readonly string[] = []) => patterns.some((pattern) => globMatcher(pattern)(branch));
    return !matches(branches?.excludes) && (branches?.includes === undefined || matches(branches.includes));
  });
}
