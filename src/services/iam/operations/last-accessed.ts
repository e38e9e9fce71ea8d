/** Reports of which services were last accessed. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import {
  type Attempt,
  type ReportedAccesses,
  type ReportedEntity,
  type ReportedService,
  reportedAccesses,
} from "../access-report.ts";
import { awsManagedPolicy } from "../aws-managed-policies.ts";
import { noSuchEntity } from "../errors.ts";
import type { Entity } from "../model.ts";
import { serviceNames } from "../service-reference.ts";
import {
  type AccessReport,
  deleteAccessReportsBefore,
  findAccessReport,
  insertAccessReport,
} from "../store/access-reports.ts";
import { findEntities, usersOfGroup } from "../store/entities.ts";
import { defaultDocuments, listPolicyUses } from "../store/managed-policies.ts";
import { entityOfArn } from "./entity-of-arn.ts";
import { requiredPolicy } from "./policy-lookup.ts";
import { pageOf } from "./support.ts";

/** How long a report can be read. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

/** The report is complete when its id is answered. */
export const GenerateServiceLastAccessedDetails: OperationOf<sdk.GenerateServiceLastAccessedDetailsCommand> = {
  authorize: { action: "iam:GenerateServiceLastAccessedDetails", resources: (input) => [input.Arn!] },
  async run(input, call) {
    const granularity = input.Granularity === "ACTION_LEVEL" ? "ACTION_LEVEL" : "SERVICE_LEVEL";
    const { policies, users } = await subjectOf(call, input.Arn!);
    await call.system.identities.flush?.(call.db);
    const accesses = await reportedAccesses(call.db, policies, users, granularity, call.now);
    const report: AccessReport = {
      jobId: randomUUID(),
      accountId: call.accountId,
      callerId: call.principal.userId,
      granularity,
      createdAt: call.now,
      completedAt: call.system.clock.now(),
      content: JSON.stringify(accesses),
    };
    await deleteAccessReportsBefore(call.db, new Date(call.now.getTime() - KEPT_MS));
    await insertAccessReport(call.db, report);
    return { JobId: report.jobId };
  },
};

/** By the services' prefixes. */
export const GetServiceLastAccessedDetails: OperationOf<sdk.GetServiceLastAccessedDetailsCommand> = {
  authorize: { action: "iam:GetServiceLastAccessedDetails", resources: () => ["*"] },
  async run(input, call) {
    const { report, entities, services } = await reportOf(call, input.JobId!);
    const names = serviceNames();
    const arns = new Map(entities.map(({ id, arn }) => [id, arn]));
    const { items, ...rest } = await pageOf(input, services, ({ namespace }) => namespace);
    return {
      ...jobOf(report),
      JobType: report.granularity,
      ServicesLastAccessed: items.map((service) => ({
        ServiceName: names.get(service.namespace) ?? service.namespace,
        ...toServiceAccess(service, arns),
      })),
      ...rest,
    };
  },
};

/** Those who tried last come first, those who never did at the end. */
export const GetServiceLastAccessedDetailsWithEntities: OperationOf<sdk.GetServiceLastAccessedDetailsWithEntitiesCommand> =
  {
    authorize: { action: "iam:GetServiceLastAccessedDetailsWithEntities", resources: () => ["*"] },
    async run(input, call) {
      const { report, entities, services } = await reportOf(call, input.JobId!);
      const service = services.find(({ namespace }) => namespace === input.ServiceNamespace);
      if (!service) throw noSuchEntity(`The report has no service ${input.ServiceNamespace}.`);
      const { attempts } = service;
      const ranks = new Map(attempts.map(({ entityId }, index) => [entityId, index]));
      const rank = ({ id }: ReportedEntity) => ranks.get(id) ?? attempts.length;
      const ordered = [...entities].sort((a, b) => rank(a) - rank(b)).map((entity, index) => ({ entity, index }));
      const { items, ...rest } = await pageOf(input, ordered, ({ index }) => String(index).padStart(9, "0"));
      return {
        ...jobOf(report),
        EntityDetailsList: items.map(({ entity: { arn, name, type, id, path } }) => {
          const latest = attempts[ranks.get(id) ?? attempts.length];
          return {
            EntityInfo: { Arn: arn, Name: name, Type: type, Id: id, Path: path },
            ...(latest && { LastAuthenticated: new Date(latest.at) }),
          };
        }),
        ...rest,
      };
    },
  };

function jobOf({ createdAt, completedAt }: AccessReport) {
  return { JobStatus: "COMPLETED" as const, JobCreationDate: createdAt, JobCompletionDate: completedAt };
}

function toServiceAccess({ namespace, attempts, actions }: ReportedService, arns: ReadonlyMap<string, string>) {
  const arnOfId = ({ entityId }: Attempt) => arns.get(entityId)!;
  const [latest] = attempts;
  return {
    ServiceNamespace: namespace,
    ...(latest && {
      LastAuthenticated: new Date(latest.at),
      LastAuthenticatedEntity: arnOfId(latest),
      LastAuthenticatedRegion: latest.region,
    }),
    TotalAuthenticatedEntities: attempts.length,
    ...(actions &&
      actions.length > 0 && {
        TrackedActionsLastAccessed: actions.map(({ name, attempt }) => ({
          ActionName: name,
          ...(attempt && {
            LastAccessedEntity: arnOfId(attempt),
            LastAccessedTime: new Date(attempt.at),
            LastAccessedRegion: attempt.region,
          }),
        })),
      }),
  };
}

/** "JobId must be used by the same role within a session, or by the same user." */
async function reportOf(call: Call, jobId: string): Promise<ReportedAccesses & { readonly report: AccessReport }> {
  const report = await findAccessReport(call.db, jobId);
  if (report?.accountId !== call.accountId || report.callerId !== call.principal.userId) {
    throw noSuchEntity(`Job with id ${jobId} cannot be found.`);
  }
  return { report, ...(JSON.parse(report.content) as ReportedAccesses) };
}

interface Subject {
  readonly policies: readonly string[];
  /** Users and roles. */
  readonly users: readonly Entity[];
}

/** A user or role alone, a group's members, or everybody who has the policy. Throws NoSuchEntity or InvalidInput. */
async function subjectOf(call: Call, arn: string): Promise<Subject> {
  const { db, accountId } = call;
  if (!/^arn:aws:iam::(\d{12}|aws):policy\/./.test(arn)) {
    const { entity, identity } = await entityOfArn(call, arn);
    const policies = identity.map(({ document }) => document);
    if (entity.kind !== "group") return { policies, users: [entity] };
    return {
      policies,
      users: await findEntities(db, accountId, "user", await usersOfGroup(db, accountId, entity.name)),
    };
  }
  const policy = await requiredPolicy(db, accountId, arn);
  const document = awsManagedPolicy(arn)?.document ?? (await defaultDocuments(db, accountId, [arn])).get(policy.arn)!;
  return { policies: [document], users: await holdersOf(call, policy.arn) };
}

async function holdersOf({ db, accountId }: Call, policyArn: string): Promise<Entity[]> {
  const uses = await listPolicyUses(db, accountId, policyArn);
  const named = (kind: Entity["kind"]) => uses.filter((use) => use.kind === kind).map(({ name }) => name);
  const members: string[] = [];
  for (const group of named("group")) members.push(...(await usersOfGroup(db, accountId, group)));
  return [
    ...(await findEntities(db, accountId, "user", [...new Set([...named("user"), ...members])])),
    ...(await findEntities(db, accountId, "role", named("role"))),
  ];
}
