/**
 * Who may do what in an organization, the same for every operation: AWS's IAM policies first, then whether the caller's
 * account is the management account or has been delegated the action.
 */
import type { Tag } from "@aws-sdk/client-organizations";
import { AccessDeniedError, requireAccess } from "#gateway/authorize.ts";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { type Database, inSnapshot, inTransaction } from "#store/database.ts";
import { accessDenied, notInUse } from "./errors.ts";
import { ORGANIZATIONS_CHANGED, willChange } from "./memberships.ts";
import type { Organization } from "./model.ts";
import { findResourcePolicy, organizationOf } from "./store/organizations.ts";
import { listDelegations } from "./store/services.ts";
import { requestTags } from "./tag-rules.ts";

type AnyCommand = { input: object };
type Input<C extends AnyCommand> = Parameters<OperationOf<C>["run"]>[0];
type Output<C extends AnyCommand> = Awaited<ReturnType<OperationOf<C>["run"]>>;

/**
 * - `everybody`: any account of the organization
 * - `readers`: the management account, delegated administrators of any service, and whom the delegation policy allows it
 * - `delegates`: the management account and whom the delegation policy allows it
 * - `management`: the management account
 */
export type Callers = "everybody" | "readers" | "delegates" | "management";

/** What an operation works with: the caller's organization; in `run`, read in the transaction that `db` is. */
export interface Scope {
  readonly call: Call;
  readonly db: Database;
  readonly organization: Organization;
}

export interface OrganizationOperation<C extends AnyCommand> {
  /** Without the service: `ListRoots`. */
  readonly action: string;
  readonly callers: Callers;
  /** Changes the organization: runs in one transaction, after which every process forgets what it knew. */
  readonly writes?: true;
  /** Schedules work, which is looked for at once. */
  readonly wakes?: true;
  /** ARNs; without it `["*"]`, as for accounts that are in no organization. */
  resources?(input: Input<C>, scope: Scope): readonly string[] | Promise<readonly string[]>;
  context?(input: Input<C>, scope: Scope, resource: string): ContextKeys | Promise<ContextKeys>;
  run(input: Input<C>, scope: Scope): Promise<Output<C>> | Output<C>;
}

export function organizationOperation<C extends AnyCommand>(definition: OrganizationOperation<C>): OperationOf<C> {
  const action = `organizations:${definition.action}`;
  const scopeOf = async (call: Call, db: Database): Promise<Scope | undefined> => {
    const organization = await organizationOf(db, call.accountId);
    // What is asked further on the way joins the transaction too.
    return organization && { call: { ...call, db }, db, organization };
  };
  const resourcesOf = async (input: Input<C>, scope: Scope | undefined) =>
    (scope && (await definition.resources?.(input, scope))) ?? ["*"];
  const contextOf = async (input: Input<C>, scope: Scope | undefined, resource: string) =>
    (scope && (await definition.context?.(input, scope, resource))) ?? {};

  const run = async (input: Input<C>, call: Call, db: Database) => {
    const scope = await scopeOf(call, db);
    if (!scope) throw notInUse();
    const resources = async () => {
      const found = await resourcesOf(input, scope);
      return Promise.all(
        found.map(async (resource) => ({ resource, context: await contextOf(input, scope, resource) })),
      );
    };
    if (!(await isAllowedCaller(scope, definition.callers, action, resources))) throw accessDenied();
    return definition.run(input, scope);
  };
  return {
    authorize: {
      action,
      resources: async (input, call) => resourcesOf(input, await scopeOf(call, call.db)),
      context: async (input, call, resource) => contextOf(input, await scopeOf(call, call.db), resource),
      // The ARNs name the management account, but a member needs no cross-account grant for what AWS delegates.
      resourceAccountId: (_resource, _input, call) => call.accountId,
    },
    async run(input, call) {
      // What only reads is of one moment too: what it finds first is still there when it looks for what belongs to it.
      if (!definition.writes) return inSnapshot(call.db, (trx) => run(input, call, trx));
      const output = await changing(call, (trx) => run(input, call, trx));
      if (definition.wakes) call.system.work.wake();
      return output;
    },
  } as OperationOf<C>;
}

/** Changes organizations in one transaction; then every process forgets what it cached. */
export async function changing<T>(
  call: Pick<Call, "db" | "system">,
  change: (trx: Database) => Promise<T>,
): Promise<T> {
  const result = await inTransaction(call.db, (trx) => {
    willChange(trx);
    return change(trx);
  });
  call.system.bus.publish(ORGANIZATIONS_CHANGED);
  return result;
}

interface Requested {
  readonly resource: string;
  readonly context: ContextKeys;
}

async function isAllowedCaller(
  { call, db, organization }: Scope,
  callers: Callers,
  action: string,
  requested: () => Promise<readonly Requested[]>,
): Promise<boolean> {
  if (callers === "everybody" || call.accountId === organization.managementAccountId) return true;
  if (callers === "management") return false;
  if (callers === "readers") {
    const delegations = await listDelegations(db, organization.id, { accountId: call.accountId });
    if (delegations.length > 0) return true;
  }
  const policy = await findResourcePolicy(db, organization.id);
  if (!policy) return false;
  const resourcePolicy = compilePolicy(parsePolicy(policy.content, "resource"));
  const { managementAccountId: resourceAccountId } = organization;
  try {
    for (const { resource, context } of await requested()) {
      await requireAccess(call, { action, resource, context, resourceAccountId, resourcePolicy });
    }
    return true;
  } catch (error) {
    if (error instanceof AccessDeniedError) return false;
    throw error;
  }
}

/** "If the request includes tags, then the requester must have the organizations:TagResource permission." */
export async function requireTagging(
  { call }: Scope,
  resource: string,
  tags: readonly Tag[] | undefined,
  context: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!tags?.length) return;
  await requireAccess(call, {
    action: "organizations:TagResource",
    resource,
    resourceAccountId: call.accountId,
    context: { ...requestTags(tags), ...context },
  });
}
