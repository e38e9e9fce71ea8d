/** Putting a build into its account's queue: the common end of StartBuild, RetryBuild and webhooks. */
import { randomBytes, randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Build, ProjectArtifacts } from "@aws-sdk/client-codebuild";
import type { System } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { invalidInput, limitExceeded, projectNotFound } from "./errors.ts";
import { type BuildRecord, type ProjectRecord, projectArn, type Scope } from "./model.ts";
import { type BuildIdentity, builtBranch, newRun } from "./new-build.ts";
import { findBuildByToken, insertBuild, STAGES } from "./store/builds.ts";
import { takeBuildNumber } from "./store/projects.ts";
import { countBuilds, lockQueue } from "./store/queue.ts";

export const BUILD_WORK = "codebuild:build";
/** Told with a build's uuid whenever its record changes or somebody wants it to stop. */
export const BUILD_TOPIC = "codebuild:build";
export const NONCE_PURPOSE = "codebuild-nonce";

/** AWS's quota depends on the account; here a build needs a processor of this machine. At least two, so that one long build holds up nobody. */
export const CONCURRENT_BUILDS = Math.max(2, availableParallelism());
/** "The maximum number of builds in a queue is five times the concurrent build limit." (builds-working.html) */
export const QUEUED_BUILDS = 5 * CONCURRENT_BUILDS;

export interface Submission {
  readonly project: ProjectRecord;
  readonly initiator: string;
  readonly artifacts: readonly ProjectArtifacts[];
  readonly webhookVariables?: Readonly<Record<string, string>>;
  /** Where the source version does not tell it. */
  readonly branch?: string | undefined;
  readonly request?: { readonly token: string; readonly hash: string } | undefined;
  toBuild(identity: BuildIdentity): Build;
}

/** "The token is included in the StartBuild request and is valid for 5 minutes." */
const TOKEN_LIFE_MS = 5 * 60_000;

/**
 * The build that was put into the queue, or the one that an earlier request with the same token put there. Throws
 * AccountLimitExceededException, InvalidInputException where the token was used otherwise, or what `toBuild` throws;
 * nothing is left then.
 */
export async function submitBuild(
  system: System,
  db: Database,
  scope: Scope,
  now: Date,
  submission: Submission,
): Promise<Build> {
  const { project } = submission;
  const uuid = randomUUID();
  const build = await inTransaction(db, async (trx) => {
    await lockQueue(trx, scope);
    const earlier = await repeated(trx, scope, now, submission.request);
    if (earlier) return earlier.build;
    await requireRoom(trx, scope, project);
    const number = await takeBuildNumber(trx, scope, project.name);
    if (number === undefined) throw projectNotFound(projectArn(scope, project.name));
    const submitted = submission.toBuild({ uuid, number, now, initiator: submission.initiator });
    const sealedNonce = system.cipher.seal(NONCE_PURPOSE, randomBytes(20).toString("hex"));
    const record: BuildRecord = {
      accountId: scope.accountId,
      region: scope.region,
      uuid,
      build: submitted,
      run: {
        ...newRun(submitted, uuid, sealedNonce, submission.artifacts),
        webhookVariables: submission.webhookVariables ?? {},
      },
      revision: 1,
      stopRequested: false,
    };
    await insertBuild(trx, {
      ...record,
      branch: submission.branch ?? builtBranch(submitted),
      request: submission.request,
    });
    await system.work.schedule(trx, BUILD_WORK, uuid);
    return submitted;
  });
  system.work.wake();
  system.bus.publish(BUILD_TOPIC, uuid);
  return build;
}

type Request = NonNullable<Submission["request"]>;

async function repeated(
  trx: Database,
  scope: Scope,
  now: Date,
  request: Request | undefined,
): Promise<BuildRecord | undefined> {
  if (!request) return undefined;
  const found = await findBuildByToken(trx, scope, request.token, now.getTime() - TOKEN_LIFE_MS);
  if (found && found.hash !== request.hash) {
    throw invalidInput("The idempotency token was used by a request with other parameters; use a new token");
  }
  return found?.record;
}

async function requireRoom(trx: Database, scope: Scope, project: ProjectRecord): Promise<void> {
  const limit = project.settings.concurrentBuildLimit;
  if (limit !== undefined) {
    const active =
      (await countBuilds(trx, scope, STAGES.queued, project.name)) +
      (await countBuilds(trx, scope, STAGES.running, project.name));
    if (active >= limit) throw limitExceeded(`Cannot have more than ${limit} active builds for the project`);
  }
  if ((await countBuilds(trx, scope, STAGES.queued)) >= QUEUED_BUILDS) {
    throw limitExceeded(`Cannot have more than ${QUEUED_BUILDS} builds in queue for the account`);
  }
}
