/** `POST /webhooks/codebuild/ID`: GitHub's deliveries, which start builds and tell pipelines that a source has changed. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { System } from "#gateway/context.ts";
import type { DataPlane } from "#gateway/service.ts";
import { repositoryIdOf } from "#git/repository.ts";
import { inTransaction } from "#store/database.ts";
import type { ProjectRecord } from "../model.ts";
import { newBuild } from "../new-build.ts";
import { GIT_PROVIDERS } from "../project-rules.ts";
import { findProjectByWebhook } from "../store/projects.ts";
import { takeDelivery } from "../store/webhook-deliveries.ts";
import { submitBuild } from "../submit-build.ts";
import { startsBuild } from "./filters.ts";
import { type GitHubEvent, PayloadShapeError, repositoryOf, toGitHubEvent } from "./github-event.ts";
import { isSignedWith } from "./signature.ts";

const PREFIX = "/webhooks/codebuild/";
/** "Payloads are capped at 25 MB." https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const MAX_BODY_BYTES = 25 * 1024 * 1024;

/** Told with OWNER/REPO after a push or a merged pull request; pipelines that watch the repository look then. */
export const SOURCE_CHANGED_TOPIC = "source-changed";

interface Delivery {
  readonly id: string;
  readonly eventName: string;
  readonly userAgent: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const webhookPlane: DataPlane = {
  matches: ({ path }) => path.startsWith(PREFIX),
  async handle(request, response, system) {
    try {
      answer(response, 200, await received(request, system));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer(response, error.status, { message: error.message });
    }
  },
};

async function received(request: IncomingMessage, system: System): Promise<object> {
  if (request.method !== "POST") throw new Refusal(405, "Use POST");
  const id = (request.url ?? "").slice(PREFIX.length).split("?")[0]!;
  const project = await findProjectByWebhook(system.db, id);
  const body = await boundedBody(request);
  const signature = request.headers["x-hub-signature-256"];
  // The same answer for an unknown webhook: who cannot sign learns nothing.
  if (!project?.webhook || !isSignedWith(system, project.webhook.sealedSecret, body, String(signature ?? ""))) {
    throw new Refusal(403, "The signature does not match the webhook's secret");
  }
  const delivery = toDelivery(request, body);
  requireRepository(project, delivery);
  if (delivery.eventName === "ping") return { message: "pong" };
  const event = gitHubEvent(delivery);
  if (!event) return { message: "This event starts no build" };
  // Pipelines hear of it even where the project's queue is full.
  if (event.type === "PUSH" || event.type === "PULL_REQUEST_MERGED") {
    system.bus.publish(SOURCE_CHANGED_TOPIC, event.repository);
  }
  const outcome = await taken(system, project, delivery, event);
  system.work.wake();
  return outcome;
}

/** The delivery and its build are noted together: a redelivery after a crash in between starts the build after all. */
function taken(system: System, project: ProjectRecord, delivery: Delivery, event: GitHubEvent): Promise<object> {
  const now = system.clock.now();
  return inTransaction(system.db, async (trx) => {
    if (!(await takeDelivery(trx, project.webhook!.id, delivery.id, now))) {
      return { message: "This delivery was received before" };
    }
    if (!startsBuild(project.webhook!, event)) return { message: "No filter group matches" };
    const { settings } = project;
    const build = await submitBuild(system, trx, project, now, {
      project,
      initiator: delivery.userAgent,
      artifacts: [settings.artifacts!, ...(settings.secondaryArtifacts ?? [])],
      webhookVariables: webhookVariables(event),
      branch: event.branch,
      toBuild: (identity) => newBuild(project, { sourceVersion: event.sourceVersion }, identity),
    });
    return { message: "A build was started", buildId: build.id };
  }).catch((error: unknown) => {
    const { name, message } = error as Error;
    if (name === "AccountLimitExceededException") throw new Refusal(429, message);
    if (name === "InvalidInputException") throw new Refusal(400, message);
    throw error;
  });
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html */
function webhookVariables(event: GitHubEvent): Record<string, string> {
  const variables: Record<string, string | undefined> = {
    CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID: event.actorAccountId,
    CODEBUILD_WEBHOOK_BASE_REF: event.baseRef,
    CODEBUILD_WEBHOOK_EVENT: event.type,
    CODEBUILD_WEBHOOK_HEAD_REF: event.headRef,
    CODEBUILD_WEBHOOK_MERGE_COMMIT: event.mergeCommit,
    CODEBUILD_WEBHOOK_PREV_COMMIT: event.previousCommit,
    CODEBUILD_WEBHOOK_TRIGGER: event.trigger,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function requireRepository({ settings }: ProjectRecord, { payload }: Delivery): void {
  const { location, type } = settings.source!;
  const own =
    repositoryIdOf(location!, GIT_PROVIDERS[type!]!) ?? new URL(location!).pathname.replace(/^\/|(\.git)?\/?$/g, "");
  // GitHub does not tell upper case from lower case.
  if (safely(() => repositoryOf(payload))?.toLowerCase() !== own.toLowerCase()) {
    throw new Refusal(400, `The payload is not of the project's repository ${own}`);
  }
}

function gitHubEvent({ eventName, payload }: Delivery): GitHubEvent | undefined {
  return safely(() => toGitHubEvent(eventName, payload));
}

function safely<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PayloadShapeError) throw new Refusal(400, error.message);
    throw error;
  }
}

function toDelivery(request: IncomingMessage, body: Buffer): Delivery {
  const id = request.headers["x-github-delivery"];
  const eventName = request.headers["x-github-event"];
  if (typeof id !== "string" || id === "" || typeof eventName !== "string") {
    throw new Refusal(400, "X-GitHub-Delivery and X-GitHub-Event are required");
  }
  const form = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  const json = form ? (new URLSearchParams(body.toString()).get("payload") ?? "") : body.toString();
  let payload: unknown;
  try {
    payload = JSON.parse(json);
  } catch {
    throw new Refusal(400, "The payload is not JSON");
  }
  if (typeof payload !== "object" || payload === null) throw new Refusal(400, "The payload is not a JSON object");
  const userAgent = request.headers["user-agent"] ?? "GitHub-Hookshot";
  return {
    id: id.slice(0, 200),
    eventName,
    userAgent: userAgent.slice(0, 200),
    payload: payload as Delivery["payload"],
  };
}

async function boundedBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, `The payload exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
