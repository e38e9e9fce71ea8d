/** Carries out actions. Each is a piece of claimed work that survives the process; see store/work.ts. */
import type { System } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { ActionFailure, type ActionJob, type ActionOutcome } from "./actions/action-provider.ts";
import { actionProvider } from "./actions/providers.ts";
import { isServiceError } from "./actions/service-errors.ts";
import { artifactKey } from "./artifacts.ts";
import {
  actionsOfExecutions,
  findAction,
  findExecution,
  updateRunningAction,
  waitingActions,
} from "./execution-store.ts";
import {
  type ActionDetail,
  type ActionExecution,
  type Artifact,
  type Declaration,
  type DeclaredAction,
  declaredAction,
  type Execution,
  type Pipeline,
} from "./model.ts";
import { ACTION_WORK, progress } from "./progression.ts";
import { roleClient } from "./role-session.ts";
import { findDeclaration, findPipelineById, putSourceHead } from "./store.ts";
import { type Namespaces, resolvedConfiguration } from "./variables.ts";

/** What services announce changes with, and whether the key may concern what an action waits for. */
const WAKING_TOPICS: Readonly<Record<string, (externalId: string, key: string) => boolean>> = {
  // The key is the build's uuid, which its id ends with.
  "codebuild:build": (externalId, key) => externalId === key || externalId.endsWith(`:${key}`),
  // The key is a service's ARN; which deployment it is about shows when the action looks.
  "ecs:service": (externalId) => externalId.startsWith("ecs-svc/"),
};

export function registerRunner(system: System): void {
  system.work.register(ACTION_WORK, ({ id }, signal) => runAction(system, id, signal));
  for (const [topic, concerns] of Object.entries(WAKING_TOPICS)) {
    system.bus.subscribe(topic, (key) => {
      wakeWaiting(system, (externalId) => concerns(externalId, key)).catch((error: unknown) =>
        system.log("error", "a pipeline's action could not be woken; polling goes on", { key, error: String(error) }),
      );
    });
  }
}

async function wakeWaiting(system: System, concerned: (externalId: string) => boolean): Promise<void> {
  const waiting = (await waitingActions(system.db)).filter(({ externalId }) => concerned(externalId));
  for (const { id } of waiting) await system.work.schedule(system.db, ACTION_WORK, id);
  if (waiting.length > 0) system.work.wake();
}

interface Loaded {
  readonly run: ActionExecution;
  readonly pipeline: Pipeline;
  readonly execution: Execution;
  readonly declaration: Declaration;
  readonly action: DeclaredAction;
  readonly earlier: readonly ActionExecution[];
}

async function runAction(system: System, id: string, signal: AbortSignal): Promise<"done" | Date> {
  const loaded = await load(system, id);
  if (!loaded) return "done";
  const outcome = await attempt(system, loaded, signal);
  // atomically() may have written meanwhile.
  const written = (await findAction(system.db, id))?.detail;
  const detail: ActionDetail = { ...written, ...outcome.detail };
  const now = system.clock.now().getTime();
  if (outcome.status === "InProgress") {
    const notes = outcome.progress ?? (await findAction(system.db, id))?.progress;
    const change = { status: "InProgress", detail, progress: notes, now } as const;
    return (await updateRunningAction(system.db, id, change)) ? outcome.again : "done";
  }
  await end(system, loaded.run, outcome, detail);
  return "done";
}

/** undefined where there is nothing left to do: the action was abandoned, or its pipeline deleted. */
async function load(system: System, id: string): Promise<Loaded | undefined> {
  const run = await findAction(system.db, id);
  if (run?.status !== "InProgress") return undefined;
  const pipeline = await findPipelineById(system.db, run.pipelineId);
  const execution = await findExecution(system.db, run.pipelineId, run.executionId);
  const declaration = await findDeclaration(system.db, run.pipelineId, run.version);
  const action = declaration && declaredAction(declaration, run.stage, run.action);
  if (!pipeline || !execution || !action) return undefined;
  const earlier = (await actionsOfExecutions(system.db, [execution.id])).filter(({ status }) => status === "Succeeded");
  return { run, pipeline, execution, declaration, action, earlier };
}

/** One call of the provider. What users can do something about becomes an outcome, faults of the platform are thrown. */
async function attempt(system: System, loaded: Loaded, signal: AbortSignal): Promise<ActionOutcome> {
  try {
    const provider = actionProvider(loaded.action.actionTypeId);
    if (!provider) throw new ActionFailure("ConfigurationError", "The action's type is not built in this version");
    const job = await prepared(system, loaded, signal);
    return await provider.run(job);
  } catch (error) {
    if (error instanceof ActionFailure) {
      return { status: "Failed", error: { code: error.code, message: error.message } };
    }
    if (isServiceError(error)) return { status: "Failed", error: { code: "JobFailed", message: error.message } };
    throw error;
  }
}

async function prepared(system: System, loaded: Loaded, signal: AbortSignal): Promise<ActionJob> {
  const { run, pipeline, execution, declaration, action, earlier } = loaded;
  const store = declaration.artifactStore ?? declaration.artifactStores?.[pipeline.region];
  if (!store) throw new ActionFailure("ConfigurationError", `The pipeline has no artifact store in ${pipeline.region}`);
  const configuration = resolvedConfiguration(action.configuration, namespacesOf(loaded));
  const inputs = inputsOf(action, earlier);
  const outputs = action.outputArtifacts.map(({ name }) => ({
    name,
    bucket: store.location!,
    key: artifactKey(pipeline.name, name, run.id),
  }));
  const detail: ActionDetail = { ...run.detail, resolvedConfiguration: configuration, inputs };
  const now = system.clock.now();
  await updateRunningAction(system.db, run.id, {
    status: "InProgress",
    detail,
    progress: run.progress,
    now: run.updatedAt,
  });
  const role = () => roleClient(system, pipeline, declaration.roleArn, action.roleArn, execution.id);
  return {
    id: run.id,
    system,
    pipeline,
    executionId: execution.id,
    actionName: action.name,
    roleArn: action.roleArn ?? declaration.roleArn,
    configuration,
    artifactStore: store,
    inputs,
    outputs,
    requestedRevision: execution.sourceRevisions.find(({ actionName }) => actionName === action.name)?.revisionValue,
    timeoutInMinutes: action.timeoutInMinutes,
    startedAt: new Date(run.startedAt),
    now,
    detail,
    progress: run.progress,
    signal,
    role,
    async atomically(effect) {
      const client = await role();
      await inTransaction(system.db, async (trx) => {
        const { progress: notes, detail: shown } = await effect(client.within(trx));
        const change = {
          status: "InProgress",
          detail: { ...detail, ...shown },
          progress: notes,
          now: now.getTime(),
        } as const;
        if (!(await updateRunningAction(trx, run.id, change))) {
          throw new ActionFailure("JobFailed", "The action was abandoned while it was carried out");
        }
      });
      // What the services woke inside the transaction could not see it yet.
      system.work.wake();
    },
  };
}

/** What earlier actions of the execution made, by its name; the latest run of an action counts. */
function inputsOf(action: DeclaredAction, earlier: readonly ActionExecution[]): Artifact[] {
  const produced = new Map(
    earlier.flatMap(({ detail }) => (detail.outputs ?? []).map((artifact) => [artifact.name, artifact])),
  );
  return action.inputArtifacts.map(({ name }) => {
    const artifact = produced.get(name);
    if (!artifact) throw new ActionFailure("ConfigurationError", `The input artifact ${name} was not produced`);
    return artifact;
  });
}

function namespacesOf({ execution, declaration, earlier }: Loaded): Namespaces {
  const namespaces: Record<string, Readonly<Record<string, string>>> = {
    codepipeline: { PipelineExecutionId: execution.id },
    variables: execution.variables,
  };
  for (const { stage, action, detail } of earlier) {
    const namespace = declaredAction(declaration, stage, action)?.namespace;
    if (namespace !== undefined) namespaces[namespace] = detail.variables ?? {};
  }
  return namespaces;
}

type Ended = Exclude<ActionOutcome, { status: "InProgress" }>;

/** The action's end, what a source saw and what follows for the pipeline are one transaction. */
async function end(system: System, run: ActionExecution, outcome: Ended, detail: ActionDetail): Promise<void> {
  await inTransaction(system.db, async (trx) => {
    const ended = await updateRunningAction(trx, run.id, {
      status: outcome.status,
      detail: outcome.status === "Failed" ? { ...detail, error: outcome.error } : detail,
      now: system.clock.now().getTime(),
    });
    if (!ended) return;
    const { observed } = outcome;
    if (observed) await putSourceHead(trx, run.pipelineId, observed.source, observed.revision, true);
    await progress(system, trx, run.pipelineId, {
      type: "action-ended",
      execution: run.executionId,
      stage: run.stage,
      action: run.action,
      outcome: outcome.status,
    });
  });
  system.work.wake();
}
