/** Trusted access, and accounts that administer a service. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html */
import type * as sdk from "@aws-sdk/client-organizations";
import { organizationOperation, type Scope } from "../administration.ts";
import { accountAlreadyRegistered, accountNotRegistered, constraintViolation, invalidInput } from "../errors.ts";
import { Hierarchy, requiredMember } from "../hierarchy.ts";
import { accountArn, toAccount } from "../model.ts";
import { pageOf } from "../paging.ts";
import { POLICY_TYPES } from "../policy-types.ts";
import {
  deleteDelegation,
  deleteService,
  insertDelegation,
  insertService,
  listDelegations,
  listServices,
} from "../store/services.ts";
import { TRUSTED_SERVICES } from "../trusted-services.ts";

type AboutService = { ServicePrincipal?: string | undefined };
type AboutAccount = { AccountId: string | undefined };

const serviceContext = ({ ServicePrincipal }: AboutService) => ({
  "organizations:serviceprincipal": ServicePrincipal,
});
const aboutAccount = ({ AccountId }: AboutAccount, { organization }: Scope) => [accountArn(organization, AccountId!)];

/** Throws InvalidInputException. */
function knownService({ ServicePrincipal }: AboutService): string {
  if (!TRUSTED_SERVICES.has(ServicePrincipal!)) throw invalidInput("UNRECOGNIZED_SERVICE_PRINCIPAL");
  return ServicePrincipal!;
}

export const EnableAWSServiceAccess = organizationOperation<sdk.EnableAWSServiceAccessCommand>({
  action: "EnableAWSServiceAccess",
  callers: "management",
  writes: true,
  context: serviceContext,
  async run(input, { call, db, organization }) {
    if (organization.featureSet !== "ALL") throw constraintViolation("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
    await insertService(db, organization.id, { servicePrincipal: knownService(input), enabledAt: call.now });
    return {};
  },
});

export const DisableAWSServiceAccess = organizationOperation<sdk.DisableAWSServiceAccessCommand>({
  action: "DisableAWSServiceAccess",
  callers: "management",
  writes: true,
  context: serviceContext,
  async run(input, { db, organization }) {
    const servicePrincipal = knownService(input);
    if (organization.policyTypes.some((type) => POLICY_TYPES[type].servicePrincipal === servicePrincipal)) {
      throw constraintViolation("POLICY_TYPE_ENABLED_FOR_THIS_SERVICE");
    }
    await deleteService(db, organization.id, servicePrincipal);
    return {};
  },
});

export const ListAWSServiceAccessForOrganization =
  organizationOperation<sdk.ListAWSServiceAccessForOrganizationCommand>({
    action: "ListAWSServiceAccessForOrganization",
    callers: "readers",
    async run(input, { db, organization }) {
      const services = await listServices(db, organization.id);
      const { items, ...rest } = pageOf(input, services, ({ servicePrincipal }) => servicePrincipal);
      return {
        EnabledServicePrincipals: items.map(({ servicePrincipal, enabledAt }) => ({
          ServicePrincipal: servicePrincipal,
          DateEnabled: enabledAt,
        })),
        ...rest,
      };
    },
  });

export const RegisterDelegatedAdministrator = organizationOperation<sdk.RegisterDelegatedAdministratorCommand>({
  action: "RegisterDelegatedAdministrator",
  callers: "management",
  writes: true,
  resources: aboutAccount,
  context: serviceContext,
  async run(input, scope) {
    const { call, db, organization } = scope;
    const servicePrincipal = knownService(input);
    if (input.AccountId === organization.managementAccountId) {
      throw constraintViolation("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR");
    }
    const { id: accountId, state } = await requiredMember(db, organization, input.AccountId!);
    if (state !== "ACTIVE") {
      throw constraintViolation("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR");
    }
    const trusted = await listServices(db, organization.id);
    if (!trusted.some((service) => service.servicePrincipal === servicePrincipal)) {
      throw constraintViolation("SERVICE_ACCESS_NOT_ENABLED");
    }
    if ((await listDelegations(db, organization.id, { accountId, servicePrincipal })).length > 0) {
      throw accountAlreadyRegistered();
    }
    await insertDelegation(db, organization.id, { accountId, servicePrincipal, enabledAt: call.now });
    return {};
  },
});

export const DeregisterDelegatedAdministrator = organizationOperation<sdk.DeregisterDelegatedAdministratorCommand>({
  action: "DeregisterDelegatedAdministrator",
  callers: "management",
  writes: true,
  resources: aboutAccount,
  context: serviceContext,
  async run(input, scope) {
    const { db, organization } = scope;
    const servicePrincipal = knownService(input);
    if (input.AccountId === organization.managementAccountId) {
      throw constraintViolation("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR");
    }
    const { id: accountId } = await requiredMember(db, organization, input.AccountId!);
    if ((await listDelegations(db, organization.id, { accountId, servicePrincipal })).length === 0) {
      throw accountNotRegistered();
    }
    await deleteDelegation(db, organization.id, { accountId, servicePrincipal });
    return {};
  },
});

export const ListDelegatedAdministrators = organizationOperation<sdk.ListDelegatedAdministratorsCommand>({
  action: "ListDelegatedAdministrators",
  callers: "readers",
  context: serviceContext,
  async run(input, { db, organization }) {
    const filter = input.ServicePrincipal === undefined ? {} : { servicePrincipal: knownService(input) };
    const enabled = new Map<string, Date>();
    for (const { accountId, enabledAt } of await listDelegations(db, organization.id, filter)) {
      if (!enabled.has(accountId)) enabled.set(accountId, enabledAt);
    }
    const tree = await Hierarchy.of(db, organization);
    const { items, ...rest } = pageOf(input, [...enabled], ([accountId]) => accountId);
    const DelegatedAdministrators = items.map(([accountId, DelegationEnabledDate]): sdk.DelegatedAdministrator => {
      const { Paths, ...account } = toAccount(organization, tree.accounts.get(accountId)!, "");
      return { ...account, DelegationEnabledDate };
    });
    return { DelegatedAdministrators, ...rest };
  },
});

export const ListDelegatedServicesForAccount = organizationOperation<sdk.ListDelegatedServicesForAccountCommand>({
  action: "ListDelegatedServicesForAccount",
  callers: "readers",
  resources: aboutAccount,
  async run(input, { db, organization }) {
    const { id: accountId } = await requiredMember(db, organization, input.AccountId!);
    const delegations = await listDelegations(db, organization.id, { accountId });
    if (delegations.length === 0) throw accountNotRegistered();
    const { items, ...rest } = pageOf(input, delegations, ({ servicePrincipal }) => servicePrincipal);
    return {
      DelegatedServices: items.map(({ servicePrincipal, enabledAt }) => ({
        ServicePrincipal: servicePrincipal,
        DelegationEnabledDate: enabledAt,
      })),
      ...rest,
    };
  },
});
