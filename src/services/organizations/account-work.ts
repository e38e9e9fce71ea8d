/** What takes its time with accounts: making them, closing them, and forgetting closed ones. */
import { AttachRolePolicyCommand, CreateRoleCommand } from "@aws-sdk/client-iam";
import type { CreateAccountFailureReason } from "@aws-sdk/client-organizations";
import { rootPrincipal, type System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import type { WorkItem } from "#store/work.ts";
import { changing } from "./administration.ts";
import { newAccountId } from "./ids.ts";
import { ensureLinkedRole } from "./linked-role.ts";
import { join, leave } from "./membership-changes.ts";
import { type AccountRequest, accountOfUnnamedEmail, type Organization } from "./model.ts";
import { findAccount, findAccountByEmail, findRequest, putAccount, updateRequest } from "./store/accounts.ts";
import { findOrganization } from "./store/organizations.ts";

/** Kinds of work; the ids are the request's and the account's. */
export const ACCOUNT_CREATION = "organizations-account-creation";
export const ACCOUNT_CLOSURE = "organizations-account-closure";

/** How often a creation is tried again that fails for a reason of ours. */
const MAX_FAILURES = 3;
/** "Resources remaining within the account after closing will be automatically deleted after 90 days." */
const POST_CLOSURE_MS = 90 * 86_400_000;

export function registerAccountWork(system: System): void {
  system.work.register(ACCOUNT_CREATION, (item) => createAccount(system, item));
  system.work.register(ACCOUNT_CLOSURE, ({ id }) => closeAccount(system, id));
}

/** The account, its role and the request's end are one transaction: there is all of it or nothing. */
async function createAccount(system: System, { id, failures }: WorkItem): Promise<"done"> {
  await changing({ system, db: system.db }, async (trx) => {
    const request = await findRequest(trx, id);
    if (request?.state !== "IN_PROGRESS") return;
    const now = system.clock.now();
    const failureReason = failures < MAX_FAILURES ? await objection(trx, request) : "INTERNAL_FAILURE";
    if (failureReason) {
      await updateRequest(trx, { ...request, state: "FAILED", failureReason, completedAt: now });
      return;
    }
    const organization = (await findOrganization(trx, request.organizationId))!;
    const accountId = await freeAccountId(trx, system);
    await createAccessRole(system, trx, organization, accountId, request.roleName);
    if (organization.featureSet === "ALL")
      await ensureLinkedRole({ system, db: trx, principal: rootPrincipal(accountId) });
    const account = { id: accountId, name: request.accountName, email: request.email };
    await join(trx, organization, { account, method: "CREATED", tags: request.tags, now });
    await updateRequest(trx, { ...request, state: "SUCCEEDED", accountId, completedAt: now });
  });
  return "done";
}

async function objection(db: Database, { email }: AccountRequest): Promise<CreateAccountFailureReason | undefined> {
  if (!isAddress(email)) return "INVALID_EMAIL";
  const taken = accountOfUnnamedEmail(email) !== undefined || (await findAccountByEmail(db, email)) !== undefined;
  return taken ? "EMAIL_ALREADY_EXISTS" : undefined;
}

/** "The rules for a valid email address" of CreateAccount. */
function isAddress(email: string): boolean {
  const [local = "", domain = "", ...more] = email.split("@");
  return (
    more.length === 0 &&
    /^[\x21-\x7e]+$/.test(local) &&
    !/["'()[\]:;,\\|%&]/.test(local) &&
    !local.startsWith(".") &&
    /^[a-zA-Z0-9][a-zA-Z0-9.-]*\.[a-zA-Z0-9.-]*[a-zA-Z0-9]$/.test(domain)
  );
}

async function freeAccountId(db: Database, { config }: System): Promise<string> {
  for (;;) {
    const id = newAccountId();
    if (id !== config.accountId && !(await findAccount(db, id))) return id;
  }
}

/**
 * "A role that grants users in the management account administrator permissions in the new member account."
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
 */
async function createAccessRole(
  system: System,
  db: Database,
  { managementAccountId }: Organization,
  accountId: string,
  roleName: string,
): Promise<void> {
  const iam = system.client(rootPrincipal(accountId), { accountId, region: system.config.region, db });
  const trust = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${managementAccountId}:root` },
        Action: "sts:AssumeRole",
      },
    ],
  };
  await iam.send(new CreateRoleCommand({ RoleName: roleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
  await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn }));
}

/** Closed for 90 days, then the account is no longer part of the organization. */
async function closeAccount(system: System, accountId: string): Promise<"done" | Date> {
  return changing({ system, db: system.db }, async (trx) => {
    const account = await findAccount(trx, accountId);
    if (account?.organizationId === undefined || account.closedAt === undefined) return "done";
    const end = new Date(account.closedAt.getTime() + POST_CLOSURE_MS);
    if (system.clock.now() < end) {
      if (account.state !== "CLOSED") await putAccount(trx, { ...account, state: "CLOSED" });
      return end;
    }
    await leave(trx, (await findOrganization(trx, account.organizationId))!, account);
    return "done";
  });
}
