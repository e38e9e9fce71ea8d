/** Services that an organization trusts, and the accounts that administer them for it. */
import type { Database } from "#store/database.ts";
import type { Delegation } from "../model.ts";
import { tables } from "./tables.ts";

export interface TrustedService {
  readonly servicePrincipal: string;
  readonly enabledAt: Date;
}

/** Nothing happens where it is trusted already. */
export async function insertService(db: Database, organizationId: string, service: TrustedService): Promise<void> {
  await tables(db)
    .insertInto("organizations_services")
    .values({
      organization_id: organizationId,
      service_principal: service.servicePrincipal,
      enabled_at: service.enabledAt.getTime(),
    })
    .onConflict((conflict) => conflict.columns(["organization_id", "service_principal"]).doNothing())
    .execute();
}

export async function listServices(db: Database, organizationId: string): Promise<TrustedService[]> {
  const rows = await tables(db)
    .selectFrom("organizations_services")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("service_principal")
    .execute();
  return rows.map((row) => ({ servicePrincipal: row.service_principal, enabledAt: new Date(row.enabled_at) }));
}

export async function deleteService(db: Database, organizationId: string, servicePrincipal: string): Promise<void> {
  await tables(db)
    .deleteFrom("organizations_services")
    .where("organization_id", "=", organizationId)
    .where("service_principal", "=", servicePrincipal)
    .execute();
}

export async function insertDelegation(db: Database, organizationId: string, delegation: Delegation): Promise<void> {
  await tables(db)
    .insertInto("organizations_delegations")
    .values({
      organization_id: organizationId,
      account_id: delegation.accountId,
      service_principal: delegation.servicePrincipal,
      enabled_at: delegation.enabledAt.getTime(),
    })
    .execute();
}

/** The oldest first. */
export async function listDelegations(
  db: Database,
  organizationId: string,
  filter: { readonly accountId?: string; readonly servicePrincipal?: string } = {},
): Promise<Delegation[]> {
  const rows = await tables(db)
    .selectFrom("organizations_delegations")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .$if(filter.accountId !== undefined, (query) => query.where("account_id", "=", filter.accountId!))
    .$if(filter.servicePrincipal !== undefined, (query) =>
      query.where("service_principal", "=", filter.servicePrincipal!),
    )
    .orderBy("enabled_at")
    .orderBy("service_principal")
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    servicePrincipal: row.service_principal,
    enabledAt: new Date(row.enabled_at),
  }));
}

export async function deleteDelegation(
  db: Database,
  organizationId: string,
  { accountId, servicePrincipal }: Pick<Delegation, "accountId" | "servicePrincipal">,
): Promise<void> {
  await tables(db)
    .deleteFrom("organizations_delegations")
    .where("organization_id", "=", organizationId)
    .where("account_id", "=", accountId)
    .where("service_principal", "=", servicePrincipal)
    .execute();
}
