/**
 * What is wrong with a single value of a policy, in IAM's words, or undefined where it is fine. The words are those that
 * users of terraform, CDK and moto report from MalformedPolicyDocument errors.
 */
import type { PolicyKind, PRINCIPAL_TYPES } from "./policy-document.ts";

export function actionMistake(action: string, kind: PolicyKind): string | undefined {
  if (kind === "trust" && !/^sts:/i.test(action)) return "AssumeRole policy may only specify STS AssumeRole actions.";
  if (action === "*") return undefined;
  const [vendor = "", name, ...more] = action.split(":");
  if (name === undefined) return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
  if (more.length > 0) return "Actions/Condition can contain only one colon.";
  if (!/^[a-zA-Z0-9\-.]+$/.test(vendor)) return `Vendor ${vendor} is not valid`;
  return name === "" ? "The action name is missing." : undefined;
}

const PARTITIONS: ReadonlySet<string> = new Set([
  "*",
  "aws",
  "aws-cn",
  "aws-us-gov",
  "aws-iso",
  "aws-iso-b",
  "aws-iso-e",
  "aws-iso-f",
  "aws-eusc",
]);

export function resourceMistake(resource: string): string | undefined {
  if (resource === "*") return undefined;
  const [prefix, partition = "", vendor, region = ""] = resource.split(":");
  if (prefix !== "arn") return `Resource ${resource} must be in ARN format or "*".`;
  if (!PARTITIONS.has(partition)) return `Partition "${partition}" is not valid for resource "${resource}".`;
  if (vendor === undefined || !/^[a-zA-Z0-9-]+$|^\*$/.test(vendor)) {
    return "Resource vendor must be fully qualified and cannot contain regexes.";
  }
  const regionless = region === "" || region === "*";
  if (vendor === "iam" && !regionless) return `IAM resource ${resource} cannot contain region information.`;
  if (vendor === "s3" && !regionless) return `Resource ${resource} can not contain region information.`;
  return undefined;
}

const ACCOUNT = /^\d{12}$/;
/** A user, role, session or account, whole: wildcards name nobody. */
const PRINCIPAL_ARN = /^arn:aws[a-z-]*:(?:iam|sts)::(?:\d{12}|cloudfront):[^*?\s]+(?: [^*?\s]+)*$/;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

export function principalMistake(type: (typeof PRINCIPAL_TYPES)[number], text: string): string | undefined {
  const valid = {
    AWS: () => text === "*" || ACCOUNT.test(text) || PRINCIPAL_ARN.test(text) || UNIQUE_ID.test(text),
    Service: () => SERVICE.test(text),
    Federated: () => SERVICE.test(text) || PROVIDER_ARN.test(text),
    CanonicalUser: () => /^[0-9a-f]{64}$/.test(text),
  } as const;
  return valid[type]() ? undefined : `Invalid principal in policy: "${type}":"${text}"`;
}

/** What IAM shows in place of the ARN of a principal that has been deleted since. */
const UNIQUE_ID = /^A[A-Z0-9]{15,127}$/;
const PROVIDER_ARN = /^arn:aws[a-z-]*:iam::\d{12}:(?:saml|oidc)-provider\/\S+$/;
