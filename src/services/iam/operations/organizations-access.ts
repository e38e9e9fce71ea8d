/** Reports of which services an organization's accounts last accessed. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateOrganizationsAccessReport.html */
import { randomUUID } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { noSuchEntity } from "../errors.ts";
import { GrantedActions } from "../granted-actions.ts";
import { attachedScps, entityAt, type MemberAccount, policyContent, targetsOf } from "../organization-tree.ts";
import { serviceNames } from "../service-reference.ts";
import { findAccessReport, insertAccessReport } from "../store/access-reports.ts";
import { listAccountAccesses } from "../store/accesses.ts";
import { pageOf } from "./support.ts";

/** As it is kept. */
interface ReportedAccess {
  readonly namespace: string;
  /** How many accounts made an attempt. */
  readonly accounts: number;
  readonly latest?: { readonly path: string; readonly at: number; readonly region: string };
}

/** Keeps these reports apart from those about users, groups, roles and policies. */
function callerOf({ principal }: Call): string {
  return `organizations/${principal.userId}`;
}

/** The report is complete when its id is answered. */
export const GenerateOrganizationsAccessReport: OperationOf<sdk.GenerateOrganizationsAccessReportCommand> = {
  authorize: {
    action: "iam:GenerateOrganizationsAccessReport",
    resources: (input, call) => [`arn:aws:iam::${call.accountId}:access-report/${input.EntityPath}`],
    context: (input) => ({ "iam:organizationspolicyid": input.OrganizationsPolicyId }),
  },
  async run(input, call) {
    const client = call.system.client(call.principal, { accountId: call.accountId, region: call.region });
    const entity = await entityAt(client, input.EntityPath!);
    const policyId = entity.isManagementAccount ? undefined : input.OrganizationsPolicyId;
    const levels: string[][] = [];
    let { accounts } = entity;
    if (policyId !== undefined) {
      levels.push([await policyContent(client, policyId)]);
      const targets = new Set(await targetsOf(client, policyId));
      accounts = accounts.filter(({ path }) => path.split("/").some((id) => targets.has(id)));
    } else if (!entity.isManagementAccount) {
      for (const id of entity.ids) levels.push(await attachedScps(client, id));
    }
    await call.system.identities.flush?.(call.db);
    const jobId = randomUUID();
    await insertAccessReport(call.db, {
      jobId,
      accountId: call.accountId,
      callerId: callerOf(call),
      granularity: "SERVICE_LEVEL",
      createdAt: call.now,
      completedAt: call.system.clock.now(),
      content: JSON.stringify(await reportedAccesses(call, levels, accounts)),
    });
    return { JobId: jobId };
  },
};

export const GetOrganizationsAccessReport: OperationOf<sdk.GetOrganizationsAccessReportCommand> = {
  authorize: { action: "iam:GetOrganizationsAccessReport", resources: () => ["*"] },
  async run(input, call) {
    const report = await findAccessReport(call.db, input.JobId!);
    if (report?.accountId !== call.accountId || report.callerId !== callerOf(call)) {
      throw noSuchEntity(`Job with id ${input.JobId} cannot be found.`);
    }
    const services = JSON.parse(report.content) as ReportedAccess[];
    const names = serviceNames();
    const ordered = sorted(services, input.SortKey).map((service, index) => ({ service, index }));
    const { items, ...rest } = await pageOf(input, ordered, ({ index }) => String(index).padStart(6, "0"));
    return {
      JobStatus: "COMPLETED",
      JobCreationDate: report.createdAt,
      JobCompletionDate: report.completedAt,
      NumberOfServicesAccessible: services.length,
      NumberOfServicesNotAccessed: services.filter(({ latest }) => latest === undefined).length,
      AccessDetails: items.map(({ service: { namespace, accounts, latest } }) => ({
        ServiceName: names.get(namespace) ?? namespace,
        ServiceNamespace: namespace,
        ...(latest && { Region: latest.region, EntityPath: latest.path, LastAuthenticatedTime: new Date(latest.at) }),
        TotalAuthenticatedEntities: accounts,
      })),
      ...rest,
    };
  },
};

/** Every level must allow a service. Without levels nothing restricts: the management account. */
async function reportedAccesses(
  call: Call,
  levels: readonly (readonly string[])[],
  accounts: readonly MemberAccount[],
): Promise<ReportedAccess[]> {
  const granted = levels.map((documents) => new GrantedActions(documents));
  const paths = new Map(accounts.map(({ id, path }) => [id, path]));
  const accesses = Map.groupBy(
    await listAccountAccesses(call.db, [...paths.keys()], call.now),
    ({ service }) => service,
  );
  return [...serviceNames().keys()]
    .filter((namespace) => granted.every((level) => level.grantsService(namespace)))
    .map((namespace) => {
      const [latest, ...others] = accesses.get(namespace) ?? [];
      if (!latest) return { namespace, accounts: 0 };
      return {
        namespace,
        accounts: new Set([latest, ...others].map(({ accountId }) => accountId)).size,
        latest: { path: paths.get(latest.accountId)!, at: latest.at.getTime(), region: latest.region },
      };
    });
}

/** `services` are in the order of their namespaces; those without an attempt are as old as can be. */
function sorted(services: readonly ReportedAccess[], key: sdk.SortKeyType | undefined): ReportedAccess[] {
  const time = ({ latest }: ReportedAccess) => latest?.at ?? 0;
  if (key === "SERVICE_NAMESPACE_DESCENDING") return services.toReversed();
  if (key === "LAST_AUTHENTICATED_TIME_ASCENDING") return services.toSorted((a, b) => time(a) - time(b));
  if (key === "LAST_AUTHENTICATED_TIME_DESCENDING") return services.toSorted((a, b) => time(b) - time(a));
  return [...services];
}
