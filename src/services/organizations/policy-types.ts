/**
 * The types of policies, what they may be, and how many may be attached to one root, OU or account.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
import type { PolicyType } from "@aws-sdk/client-organizations";
import type { Organization, Policy } from "./model.ts";

interface PolicyTypeRules {
  /** Characters of the document, white space included. */
  readonly maxSize: number;
  /** To one root, OU or account. */
  readonly maxAttached: number;
  /** "Every entity must have at least one SCP attached at all times." */
  readonly minAttached: 0 | 1;
  readonly maxPolicies: number;
  /** Must have access to the organization while the type is enabled. */
  readonly servicePrincipal?: string;
  /** AWS's own policy, attached to everything while the type is enabled. */
  readonly fullAccess?: Policy;
}

const MANAGEMENT: PolicyTypeRules = { maxSize: 10_000, maxAttached: 10, minAttached: 0, maxPolicies: 1_000 };

export const POLICY_TYPES: Readonly<Record<PolicyType, PolicyTypeRules>> = {
  SERVICE_CONTROL_POLICY: {
    maxSize: 5_120,
    maxAttached: 5,
    minAttached: 1,
    maxPolicies: 10_000,
    fullAccess: awsOwn("SERVICE_CONTROL_POLICY", "FullAWSAccess", "Allows access to every operation", {
      Effect: "Allow",
      Action: "*",
      Resource: "*",
    }),
  },
  RESOURCE_CONTROL_POLICY: {
    maxSize: 5_120,
    maxAttached: 5,
    minAttached: 1,
    maxPolicies: 1_000,
    fullAccess: awsOwn("RESOURCE_CONTROL_POLICY", "RCPFullAWSAccess", "Allow access to all resources", {
      Effect: "Allow",
      Principal: "*",
      Action: "*",
      Resource: "*",
    }),
  },
  AISERVICES_OPT_OUT_POLICY: { ...MANAGEMENT, maxSize: 2_500, maxAttached: 5 },
  BACKUP_POLICY: MANAGEMENT,
  BEDROCK_POLICY: MANAGEMENT,
  CHATBOT_POLICY: { ...MANAGEMENT, maxAttached: 5 },
  DECLARATIVE_POLICY_EC2: MANAGEMENT,
  GUARDDUTY_POLICY: MANAGEMENT,
  INSPECTOR_POLICY: MANAGEMENT,
  NETWORK_SECURITY_DIRECTOR_POLICY: MANAGEMENT,
  S3_POLICY: MANAGEMENT,
  SECURITYHUB_CSPM_POLICY: MANAGEMENT,
  SECURITYHUB_POLICY: { ...MANAGEMENT, servicePrincipal: "securityhub.amazonaws.com" },
  TAG_POLICY: MANAGEMENT,
  UPGRADE_ROLLOUT_POLICY: MANAGEMENT,
};

/** AWS's own policies of the type. */
export function awsPolicies(type: PolicyType): readonly Policy[] {
  const { fullAccess } = POLICY_TYPES[type];
  return fullAccess ? [fullAccess] : [];
}

export function awsPolicy(id: string): Policy | undefined {
  return Object.values(POLICY_TYPES).find(({ fullAccess }) => fullAccess?.id === id)?.fullAccess;
}

/** AWS's own policies that a new OU or account gets. */
export function policiesOfNewEntity({ policyTypes }: Organization): readonly Policy[] {
  return policyTypes.flatMap(awsPolicies);
}

function awsOwn(type: PolicyType, name: string, description: string, statement: object): Policy {
  return {
    id: `p-${name}`,
    organizationId: undefined,
    type,
    name,
    description,
    content: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }, undefined, 2),
    updatedAt: new Date(0),
    tags: new Map(),
  };
}
