/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html */
import type * as sdk from "@aws-sdk/client-cloudwatch-logs";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { deletionProtected, invalidParameter, logGroupExists } from "../errors.ts";
import { everyGroupResources, existingLogGroup, groupResources, namedLogGroup } from "../lookup.ts";
import { type LogGroup, logGroupArn, RETENTION_DAYS, toLogGroupAddress } from "../model.ts";
import { scheduleRetention } from "../retention.ts";
import { deleteLogGroup, insertLogGroup, listLogGroups, storedBytes, updateLogGroup } from "../store.ts";
import { requestTags } from "../tag-keys.ts";
import { pageToken, parsedPageToken } from "../tokens.ts";

const DEFAULT_PAGE = 50;

export const CreateLogGroup: OperationOf<sdk.CreateLogGroupCommand> = {
  authorize: {
    action: "logs:CreateLogGroup",
    resources: groupResources,
    context: requestTags,
    additional: (input, call) =>
      Object.keys(input.tags ?? {}).length > 0
        ? [
            {
              action: "logs:TagResource",
              resource: logGroupArn(call, input.logGroupName!),
              context: requestTags(input),
            },
          ]
        : [],
  },
  async run(input, call) {
    const name = input.logGroupName!;
    if (/^aws\//i.test(name)) throw invalidParameter("Log groups starting with AWS/ are reserved for AWS.");
    const created = await insertLogGroup(call.db, {
      accountId: call.accountId,
      region: call.region,
      name,
      createdAt: call.now.getTime(),
      retentionInDays: undefined,
      kmsKeyId: input.kmsKeyId,
      logGroupClass: input.logGroupClass ?? "STANDARD",
      deletionProtection: input.deletionProtectionEnabled ?? false,
      tags: input.tags ?? {},
    });
    if (!created) throw logGroupExists();
    return {};
  },
};

export const DeleteLogGroup: OperationOf<sdk.DeleteLogGroupCommand> = {
  authorize: { action: "logs:DeleteLogGroup", resources: groupResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    if (group.deletionProtection) throw deletionProtected();
    await inTransaction(call.db, (trx) => deleteLogGroup(trx, group.id));
    return {};
  },
};

export const PutLogGroupDeletionProtection: OperationOf<sdk.PutLogGroupDeletionProtectionCommand> = {
  authorize: { action: "logs:PutLogGroupDeletionProtection", resources: groupResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    await updateLogGroup(call.db, group.id, { deletionProtection: input.deletionProtectionEnabled! });
    return {};
  },
};

interface GroupPlace {
  readonly name: string;
}

export const DescribeLogGroups: OperationOf<sdk.DescribeLogGroupsCommand> = {
  authorize: { action: "logs:DescribeLogGroups", resources: everyGroupResources },
  async run(input, call) {
    if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
      throw invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
    }
    const found = await matchingGroups(
      call,
      {
        prefix: input.logGroupNamePrefix,
        names: input.logGroupIdentifiers?.map((identifier) => toLogGroupAddress(call, identifier).name),
        logGroupClass: input.logGroupClass,
        matches: ({ name }) => name.includes(input.logGroupNamePattern ?? ""),
      },
      parsedPageToken<GroupPlace>("groups", input.nextToken)?.name,
      input.limit ?? DEFAULT_PAGE,
    );
    const bytes = await storedBytes(
      call.db,
      found.groups.map(({ id }) => id),
    );
    return {
      logGroups: found.groups.map((group) => logGroupView(group, bytes.get(group.id) ?? 0)),
      nextToken: found.next && pageToken("groups", { name: found.next } satisfies GroupPlace),
    };
  },
};

export const ListLogGroups: OperationOf<sdk.ListLogGroupsCommand> = {
  authorize: { action: "logs:ListLogGroups", resources: everyGroupResources },
  async run(input, call) {
    const pattern = input.logGroupNamePattern ?? "";
    const found = await matchingGroups(
      call,
      { logGroupClass: input.logGroupClass, matches: ({ name }) => matchesAnyOf(pattern, name) },
      parsedPageToken<GroupPlace>("list-groups", input.nextToken)?.name,
      input.limit ?? DEFAULT_PAGE,
    );
    return {
      logGroups: found.groups.map((group) => ({
        logGroupName: group.name,
        logGroupArn: logGroupArn(group, group.name),
        logGroupClass: group.logGroupClass as sdk.LogGroupClass,
      })),
      nextToken: found.next && pageToken("list-groups", { name: found.next } satisfies GroupPlace),
    };
  },
};

export const PutRetentionPolicy: OperationOf<sdk.PutRetentionPolicyCommand> = {
  authorize: { action: "logs:PutRetentionPolicy", resources: groupResources },
  async run(input, call) {
    const days = input.retentionInDays!;
    if (!RETENTION_DAYS.includes(days)) {
      throw invalidParameter(
        `1 validation error detected: Value '${days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${RETENTION_DAYS.join(", ")}]`,
      );
    }
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    await inTransaction(call.db, async (trx) => {
      await updateLogGroup(trx, group.id, { retentionInDays: days });
      await scheduleRetention(call.system, trx, group.id);
    });
    call.system.work.wake();
    return {};
  },
};

export const DeleteRetentionPolicy: OperationOf<sdk.DeleteRetentionPolicyCommand> = {
  authorize: { action: "logs:DeleteRetentionPolicy", resources: groupResources },
  async run(input, call) {
    const group = await existingLogGroup(namedLogGroup(input, call), call);
    await updateLogGroup(call.db, group.id, { retentionInDays: undefined });
    return {};
  },
};

interface GroupFilter {
  readonly prefix?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly logGroupClass?: string | undefined;
  matches(group: LogGroup): boolean;
}

/** A page of the caller's groups by name; `next` is the last one's name where more follow. */
async function matchingGroups(
  call: Call,
  { matches, ...query }: GroupFilter,
  start: string | undefined,
  limit: number,
): Promise<{ groups: LogGroup[]; next: string | undefined }> {
  const groups: LogGroup[] = [];
  let after = start;
  for (;;) {
    const portion = await listLogGroups(call.db, {
      accountId: call.accountId,
      region: call.region,
      ...query,
      after,
      limit: limit + 1,
    });
    for (const group of portion) {
      if (!matches(group)) continue;
      if (groups.length === limit) return { groups, next: groups.at(-1)!.name };
      groups.push(group);
    }
    if (portion.length <= limit) return { groups, next: undefined };
    after = portion.at(-1)!.name;
  }
}

/** ListLogGroups' patterns: alternatives between `|`, each a substring, or a prefix where it starts with `^`. */
function matchesAnyOf(pattern: string, name: string): boolean {
  return pattern
    .split("|")
    .some((part) => (part.startsWith("^") ? name.startsWith(part.slice(1)) : name.includes(part)));
}

function logGroupView(group: LogGroup, bytes: number): sdk.LogGroup {
  const arn = logGroupArn(group, group.name);
  return {
    logGroupName: group.name,
    creationTime: group.createdAt,
    retentionInDays: group.retentionInDays,
    metricFilterCount: 0,
    arn: `${arn}:*`,
    logGroupArn: arn,
    storedBytes: bytes,
    kmsKeyId: group.kmsKeyId,
    logGroupClass: group.logGroupClass as sdk.LogGroupClass,
    deletionProtectionEnabled: group.deletionProtection,
  };
}
