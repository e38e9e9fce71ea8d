/** An Organizations for tests of what IAM asks it: one organization, told as a tree, read-only. */
import * as sdk from "@aws-sdk/client-organizations";
import { defineService } from "#gateway/service.ts";

export interface FakeOrganization {
  readonly management: string;
  readonly allFeatures: boolean;
  readonly scpsEnabled: boolean;
  /** Service principals with trusted access. */
  readonly trusted: readonly string[];
  readonly delegatedAdministrator: string;
  /** Children by their parents; the root is "r-ab12". */
  readonly children: Readonly<Record<string, readonly string[]>>;
  /** Documents by their ids, attached to the targets. */
  readonly policies: Readonly<Record<string, { readonly content: string; readonly targets: readonly string[] }>>;
}

export const ORGANIZATION_ID = "o-a1b2c3d4e5";
export const ROOT_ID = "r-ab12";
const $metadata = {};

/** `find` answers the organization of an account. */
export function fakeOrganizations(find: (accountId: string) => FakeOrganization | undefined) {
  const required = (accountId: string) => {
    const organization = find(accountId);
    if (organization) return organization;
    throw new sdk.AWSOrganizationsNotInUseException({ message: "Your account is not a member.", $metadata });
  };
  const managed = (accountId: string) => {
    const organization = required(accountId);
    if (organization.management === accountId) return organization;
    throw new sdk.AccessDeniedException({ message: "You don't have permissions.", $metadata });
  };
  const authorize = <I>(name: string) => ({ action: `organizations:${name}`, resources: (_input: I) => ["*"] });
  return defineService({
    name: "organizations",
    sdk,
    Client: sdk.OrganizationsClient,
    limits: {},
    validation: { code: "InvalidInputException" },
    migrations: [],
    operations: {
      DescribeOrganization: {
        authorize: authorize("DescribeOrganization"),
        run(_input, { accountId }) {
          const { management, allFeatures } = required(accountId);
          const FeatureSet: sdk.OrganizationFeatureSet = allFeatures ? "ALL" : "CONSOLIDATED_BILLING";
          return { Organization: { Id: ORGANIZATION_ID, MasterAccountId: management, FeatureSet } };
        },
      },
      ListAWSServiceAccessForOrganization: {
        authorize: authorize("ListAWSServiceAccessForOrganization"),
        run: (_input, { accountId }) => ({
          EnabledServicePrincipals: managed(accountId).trusted.map((ServicePrincipal) => ({ ServicePrincipal })),
        }),
      },
      ListDelegatedAdministrators: {
        authorize: authorize("ListDelegatedAdministrators"),
        run: (_input, { accountId }) => ({
          DelegatedAdministrators: [{ Id: managed(accountId).delegatedAdministrator }],
        }),
      },
      ListRoots: {
        authorize: authorize("ListRoots"),
        run(_input, { accountId }) {
          const { scpsEnabled } = managed(accountId);
          const PolicyTypes: sdk.PolicyTypeSummary[] = scpsEnabled
            ? [{ Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED" }]
            : [];
          return { Roots: [{ Id: ROOT_ID, PolicyTypes }] };
        },
      },
      ListParents: {
        authorize: authorize("ListParents"),
        run({ ChildId }, { accountId }) {
          const { children } = managed(accountId);
          const found = Object.entries(children).find(([, ids]) => ids.includes(ChildId!));
          if (!found) throw new sdk.ChildNotFoundException({ message: "No such child.", $metadata });
          return { Parents: [{ Id: found[0] }] };
        },
      },
      /** One child a page. */
      ListChildren: {
        authorize: authorize("ListChildren"),
        run({ ParentId, ChildType, NextToken = "0" }, { accountId }) {
          const ids = managed(accountId).children[ParentId!] ?? [];
          const wanted = ids.filter((id) => id.startsWith("ou-") === (ChildType === "ORGANIZATIONAL_UNIT"));
          const [Id] = wanted.slice(Number(NextToken));
          const more = Number(NextToken) + 1 < wanted.length;
          return {
            Children: Id === undefined ? [] : [{ Id }],
            ...(more && { NextToken: String(Number(NextToken) + 1) }),
          };
        },
      },
      ListPoliciesForTarget: {
        authorize: authorize("ListPoliciesForTarget"),
        run: ({ TargetId }, { accountId }) => ({
          Policies: Object.entries(managed(accountId).policies)
            .filter(([, { targets }]) => targets.includes(TargetId!))
            .map(([Id]) => ({ Id })),
        }),
      },
      ListTargetsForPolicy: {
        authorize: authorize("ListTargetsForPolicy"),
        run: ({ PolicyId }, { accountId }) => ({
          Targets: managed(accountId).policies[PolicyId!]?.targets.map((TargetId) => ({ TargetId })) ?? [],
        }),
      },
      DescribePolicy: {
        authorize: authorize("DescribePolicy"),
        run({ PolicyId }, { accountId }) {
          const policy = managed(accountId).policies[PolicyId!];
          if (!policy) throw new sdk.PolicyNotFoundException({ message: "No such policy.", $metadata });
          return { Policy: { Content: policy.content } };
        },
      },
    },
  });
}
