/** What a report of last accessed services says, made of the attempts that were recorded. */
import type { Database } from "#store/database.ts";
import { GrantedActions } from "./granted-actions.ts";
import { arnOf, type Entity } from "./model.ts";
import { actionsOf, serviceNames } from "./service-reference.ts";
import { type Access, listAccesses } from "./store/accesses.ts";

/** As it is kept. */
export interface ReportedAccesses {
  /** Every user and role that could have used the policies. */
  readonly entities: readonly ReportedEntity[];
  readonly services: readonly ReportedService[];
}

export interface ReportedService {
  readonly namespace: string;
  /** The latest attempt of each entity that made one, the latest first. */
  readonly attempts: readonly Attempt[];
  /** Of reports at the level of actions: the tracked ones that the policies grant. */
  readonly actions?: readonly { readonly name: string; readonly attempt?: Attempt }[];
}

export interface ReportedEntity {
  readonly arn: string;
  readonly name: string;
  readonly id: string;
  readonly type: "USER" | "ROLE";
  readonly path: string;
}

export interface Attempt {
  readonly entityId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly region: string;
}

/**
 * The services whose actions are tracked one by one, of those that AWS lists. "The iam:PassRole action is not tracked";
 * neither are S3's data events, which are what is done with objects.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-action-last-accessed.html
 */
const TRACKED_SERVICES: ReadonlySet<string> = new Set([
  "codebuild",
  "codepipeline",
  "ecr",
  "ecs",
  "elasticloadbalancing",
  "iam",
  "kms",
  "logs",
  "s3",
]);

/** `users`: the users and roles that hold the policies, whose attempts count. */
export async function reportedAccesses(
  db: Database,
  policies: readonly string[],
  users: readonly Entity[],
  granularity: "SERVICE_LEVEL" | "ACTION_LEVEL",
  now: Date,
): Promise<ReportedAccesses> {
  const granted = new GrantedActions(policies);
  const accesses = Map.groupBy(
    await listAccesses(
      db,
      users.map(({ id }) => id),
      now,
    ),
    ({ service }) => service,
  );
  const services = [...serviceNames().keys()]
    .filter((namespace) => granted.grantsService(namespace))
    .map((namespace) => {
      const ofService = accesses.get(namespace) ?? [];
      return {
        namespace,
        attempts: latestPerEntity(ofService),
        ...(granularity === "ACTION_LEVEL" && { actions: trackedActions(namespace, granted, ofService) }),
      };
    });
  return { entities: users.map(toReportedEntity), services };
}

function trackedActions(namespace: string, granted: GrantedActions, accesses: readonly Access[]) {
  if (!TRACKED_SERVICES.has(namespace)) return [];
  return Array.from(actionsOf(namespace))
    .filter(([name, arn]) => isTracked(namespace, name, arn) && granted.grantsAction(namespace, name))
    .map(([name]) => {
      const latest = accesses.find(({ action }) => action === name);
      return { name, ...(latest && { attempt: toAttempt(latest) }) };
    });
}

function isTracked(namespace: string, name: string, arn: string): boolean {
  if (namespace === "iam") return name !== "PassRole";
  return namespace !== "s3" || !arn.endsWith("${ObjectName}");
}

/** `accesses` are the latest first. */
function latestPerEntity(accesses: readonly Access[]): Attempt[] {
  const seen = new Set<string>();
  const isFirst = ({ entityId }: Access) => !seen.has(entityId) && seen.add(entityId);
  return accesses.filter(isFirst).map(toAttempt);
}

function toAttempt({ entityId, at, region }: Access): Attempt {
  return { entityId, at: at.getTime(), region };
}

function toReportedEntity(entity: Entity): ReportedEntity {
  const { name, id, path, kind } = entity;
  return { arn: arnOf(entity), name, id, path, type: kind === "role" ? "ROLE" : "USER" };
}
