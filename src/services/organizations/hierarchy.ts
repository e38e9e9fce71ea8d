/** The tree of an organization: its root, OUs and accounts. */
import type { Database } from "#store/database.ts";
import { accountNotFound } from "./errors.ts";
import type { Member, Organization, Unit } from "./model.ts";
import { findAccount, listAccounts } from "./store/accounts.ts";
import { listUnits } from "./store/units.ts";

export type EntityType = "ROOT" | "ORGANIZATIONAL_UNIT" | "ACCOUNT";

export interface Entity {
  readonly id: string;
  readonly type: EntityType;
  readonly name: string;
}

export class Hierarchy {
  readonly organization: Organization;
  readonly units: ReadonlyMap<string, Unit>;
  readonly accounts: ReadonlyMap<string, Member>;

  constructor(organization: Organization, units: readonly Unit[], accounts: readonly Member[]) {
    this.organization = organization;
    this.units = new Map(units.map((unit) => [unit.id, unit]));
    this.accounts = new Map(accounts.map((account) => [account.id, account]));
  }

  static async of(db: Database, organization: Organization): Promise<Hierarchy> {
    return new Hierarchy(organization, await listUnits(db, organization.id), await listAccounts(db, organization.id));
  }

  isParent(id: string): boolean {
    return id === this.organization.rootId || this.units.has(id);
  }

  entity(id: string): Entity | undefined {
    if (id === this.organization.rootId) return { id, type: "ROOT", name: "Root" };
    const unit = this.units.get(id);
    if (unit) return { id, type: "ORGANIZATIONAL_UNIT", name: unit.name };
    const account = this.accounts.get(id);
    return account && { id, type: "ACCOUNT", name: account.name };
  }

  /** Of an OU or account; undefined for the root and for what is not in the organization. */
  parentOf(id: string): string | undefined {
    return (this.units.get(id) ?? this.accounts.get(id))?.parentId;
  }

  /** The entity and everything above it, the root first. */
  lineageOf(id: string): string[] {
    const lineage: string[] = [];
    for (let at: string | undefined = id; at !== undefined; at = this.parentOf(at)) lineage.unshift(at);
    return lineage;
  }

  /** `o-…/r-…/ou-…/`: the organization and the lineage of a root or OU. */
  pathOf(parentId: string): string {
    return `${[this.organization.id, ...this.lineageOf(parentId)].join("/")}/`;
  }

  unitsUnder(parentId: string): Unit[] {
    return [...this.units.values()].filter((unit) => unit.parentId === parentId);
  }

  accountsUnder(parentId: string): Member[] {
    return [...this.accounts.values()].filter((account) => account.parentId === parentId);
  }

  /** Root, OUs and accounts: everything that policies can be attached to. */
  entityIds(): string[] {
    return [this.organization.rootId, ...this.units.keys(), ...this.accounts.keys()];
  }
}

export async function findMember(
  db: Database,
  organization: Organization,
  accountId: string,
): Promise<Member | undefined> {
  const account = await findAccount(db, accountId);
  return account?.organizationId === organization.id ? (account as Member) : undefined;
}

/** Throws AccountNotFoundException. */
export async function requiredMember(db: Database, organization: Organization, accountId: string): Promise<Member> {
  const account = await findMember(db, organization, accountId);
  if (!account) throw accountNotFound();
  return account;
}
