/**
 * How a denial writes the resource. AWS's page (troubleshoot_access-denied.html) gives the ARN and says that services differ;
 * the forms below are those of AWS's answers as users report them.
 */

const IAM_RESOURCE = /^arn:aws[a-z-]*:iam::[^:]*:(user|group|role|instance-profile|policy)\/(?:.*\/)?([^/]+)$/;
/** IAM's own that give the ARN, as every service does for `iam:PassRole`. */
const IAM_WITH_ARN: ReadonlySet<string> = new Set([
  "iam:PassRole",
  "iam:CreateGroup",
  "iam:CreateInstanceProfile",
  "iam:CreateRole",
  "iam:CreateServiceLinkedRole",
  "iam:CreateUser",
]);

/** ` on resource: …`, or "" where the service says nothing of the resource. */
export function onResource(action: string, resource: string): string {
  // Elastic Load Balancing's Describe actions have no resource types.
  if (resource === "*" && action.startsWith("elasticloadbalancing:")) return "";
  // S3 alone quotes the resource (noobaa/noobaa-core#10060 shows AWS's answer).
  if (action.startsWith("s3:")) return ` on resource: "${resource}"`;
  return ` on resource: ${action.startsWith("iam:") && !IAM_WITH_ARN.has(action) ? iamResource(action, resource) : resource}`;
}

/** `user alice`, `instance profile web`; managed policies keep their ARN behind the word, but for one that is to be made. */
function iamResource(action: string, arn: string): string {
  const [, type, name] = IAM_RESOURCE.exec(arn) ?? [];
  if (type === undefined) return arn;
  if (type === "policy" && action !== "iam:CreatePolicy") return `policy ${arn}`;
  return `${type.replace("-", " ")} ${name}`;
}
