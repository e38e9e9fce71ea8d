/** The nouns of Elastic Load Balancing, their ARNs and names. Times are epoch milliseconds. */
import { createHash, randomBytes, randomInt } from "node:crypto";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";

/** Where a resource lives. */
export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

export interface Zone {
  readonly zoneName: string;
  readonly subnetId: string;
}

export interface LoadBalancer extends Scope {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly scheme: "internet-facing" | "internal";
  readonly vpcId: string;
  readonly securityGroups: readonly string[];
  readonly zones: readonly Zone[];
  readonly ipAddressType: string;
  /** Only those that differ from the defaults in attributes.ts. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: number;
}

export interface HealthCheckSettings {
  readonly protocol: "HTTP" | "HTTPS";
  /** "traffic-port" or a port number. */
  readonly port: string;
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  /** "200", "200,302", "200-299" */
  readonly matcher: string;
}

export interface TargetGroup extends Scope {
  readonly arn: string;
  readonly name: string;
  readonly protocol: "HTTP" | "HTTPS";
  readonly port: number;
  readonly vpcId: string;
  readonly targetType: "instance" | "ip";
  readonly ipAddressType: string;
  readonly healthCheck: HealthCheckSettings;
  /** Only those that differ from the defaults in attributes.ts. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: number;
}

/** What tells the targets of a group apart. */
export interface TargetAddress {
  readonly id: string;
  readonly port: number;
}

/** As found by the health checks; `unused` and `draining` follow from the rest of the configuration. */
export interface Health {
  readonly state: "initial" | "healthy" | "unhealthy";
  /** undefined where the target is healthy. */
  readonly reason: sdk.TargetHealthReasonEnum | undefined;
  readonly description: string | undefined;
}

export interface Target extends TargetAddress {
  readonly targetGroupArn: string;
  readonly availabilityZone: string | undefined;
  readonly registeredAt: number;
  /** When the target became what `health` says. */
  readonly healthSince: number;
  readonly health: Health;
  /** Set once the target is deregistered: it is gone from then on. */
  readonly drainingUntil: number | undefined;
}

export interface Listener extends Scope {
  readonly arn: string;
  readonly loadBalancerArn: string;
  readonly port: number;
  readonly protocol: "HTTP" | "HTTPS";
  readonly sslPolicy: string | undefined;
  readonly certificateArn: string | undefined;
  readonly createdAt: number;
}

/** A listener's default actions are its default rule, the last one to be evaluated. */
export interface Rule {
  readonly arn: string;
  readonly listenerArn: string;
  readonly loadBalancerArn: string;
  /** 1 to 50000; DEFAULT_PRIORITY for the default rule. */
  readonly priority: number;
  readonly conditions: readonly sdk.RuleCondition[];
  readonly actions: readonly sdk.Action[];
}

/** Sorts after every priority that a user can give. */
export const DEFAULT_PRIORITY = 1_000_000;

export const isDefaultRule = (rule: Pick<Rule, "priority">): boolean => rule.priority === DEFAULT_PRIORITY;

/** What the configuration's readers listen to; the key is the ARN of what changed. */
export const CONFIGURATION_TOPIC = "elbv2:configuration";
/** A target's health changed, or it finished draining; the key is the target group's ARN. */
export const TARGET_HEALTH_TOPIC = "elbv2:target-health";

const arnPrefix = ({ accountId, region }: Scope) => `arn:aws:elasticloadbalancing:${region}:${accountId}:`;
const newId = () => randomBytes(8).toString("hex");

/** `id` "*" gives what policies are asked about before the resource exists. */
export const loadBalancerArn = (scope: Scope, name: string, id = newId()) =>
  `${arnPrefix(scope)}loadbalancer/app/${name}/${id}`;

export const targetGroupArn = (scope: Scope, name: string, id = newId()) =>
  `${arnPrefix(scope)}targetgroup/${name}/${id}`;

export const newListenerArn = (ofLoadBalancer: string) =>
  `${ofLoadBalancer.replace(":loadbalancer/", ":listener/")}/${newId()}`;

export const newRuleArn = (listenerArn: string) => `${listenerArn.replace(":listener/", ":listener-rule/")}/${newId()}`;

/** `arn:…:listener/app/NAME/ID/ID` and `arn:…:listener-rule/app/NAME/ID/ID/ID` begin with the load balancer's own. */
export type ResourceKind = "load balancer" | "target group" | "listener" | "listener rule";

const ARN_PATHS: Readonly<Record<ResourceKind, RegExp>> = {
  "load balancer": /^loadbalancer\/(app|net|gwy)\/[^/]+\/[^/]+$/,
  "target group": /^targetgroup\/[^/]+\/[^/]+$/,
  listener: /^listener\/(app|net|gwy)\/[^/]+\/[^/]+\/[^/]+$/,
  "listener rule": /^listener-rule\/(app|net)\/[^/]+\/[^/]+\/[^/]+\/[^/]+$/,
};

/** Whether the text is an ARN of that kind in the caller's region, which is what AWS takes for valid. */
export function isArnOf(kind: ResourceKind, region: string, text: string): boolean {
  const match = /^arn:aws[\w-]*:elasticloadbalancing:([^:]*):\d{12}:(.+)$/.exec(text);
  return match !== null && match[1] === region && ARN_PATHS[kind].test(match[2]!);
}

/** The kind of resource that an ARN names; undefined where it is none of ours. */
export function kindOf(region: string, arn: string): ResourceKind | undefined {
  const kinds = Object.keys(ARN_PATHS) as ResourceKind[];
  return kinds.find((kind) => isArnOf(kind, region, arn));
}

/** `NAME-1234567890.REGION.elb.amazonaws.com`, in lower case as DNS names compare. */
export function newDnsName(name: string, scheme: LoadBalancer["scheme"], region: string): string {
  const label = `${scheme === "internal" ? "internal-" : ""}${name}-${randomInt(100_000_000, 2_000_000_000)}`;
  return `${label.toLowerCase()}.${region}.elb.amazonaws.com`;
}

/** There is no EC2 service to ask, so every account has one invented VPC a region, always the same. */
export const defaultVpcId = (scope: Scope) => `vpc-${inventedId(scope, "vpc")}`;
export const defaultSecurityGroup = (scope: Scope) => `sg-${inventedId(scope, "default-security-group")}`;

function inventedId({ accountId, region }: Scope, what: string): string {
  return createHash("sha256").update(`${accountId}/${region}/${what}`).digest("hex").slice(0, 17);
}

/** Without EC2 a subnet's zone is unknown: the first one is said to be in zone a, the next in b, and so on. */
export function toZones(region: string, subnetIds: readonly string[]): readonly Zone[] {
  return subnetIds.map((subnetId, index) => ({
    zoneName: `${region}${String.fromCharCode("a".charCodeAt(0) + (index % 6))}`,
    subnetId,
  }));
}

/** Route 53's zones of application load balancers. https://docs.aws.amazon.com/general/latest/gr/elb.html */
export const CANONICAL_HOSTED_ZONES: Readonly<Record<string, string>> = {
  "af-south-1": "Z268VQBMOI5EKX",
  "ap-east-1": "Z3DQVH9N71FHZ0",
  "ap-northeast-1": "Z14GRHDCWA56QT",
  "ap-northeast-2": "ZWKZPGTI48KDX",
  "ap-northeast-3": "Z5LXEXXYW11ES",
  "ap-south-1": "ZP97RAFLXTNZK",
  "ap-south-2": "Z0173938T07WNTVAEPZN",
  "ap-southeast-1": "Z1LMS91P8CMLE5",
  "ap-southeast-2": "Z1GM3OXH4ZPM65",
  "ap-southeast-3": "Z08888821HLRG5A9ZRTER",
  "ca-central-1": "ZQSVJUPU6J1EY",
  "cn-north-1": "Z1GDH35T77C1KE",
  "cn-northwest-1": "ZM7IZAIOVVDZF",
  "eu-central-1": "Z215JYRZR1TBD5",
  "eu-central-2": "Z06391101F2ZOEP8P5EB3",
  "eu-north-1": "Z23TAZ6LKFMNIO",
  "eu-south-1": "Z3ULH7SSC9OV64",
  "eu-south-2": "Z0956581394HF5D5LXGAP",
  "eu-west-1": "Z32O12XQLNTSW2",
  "eu-west-2": "ZHURV8PSTC4K8",
  "eu-west-3": "Z3Q77PNBQS71R4",
  "me-central-1": "Z08230872XQRWHG2XF6I",
  "me-south-1": "ZS929ML54UICD",
  "sa-east-1": "Z2P70J7HTTTPLU",
  "us-east-1": "Z35SXDOTRQ7X7K",
  "us-east-2": "Z3AADJGX6KTTL2",
  "us-gov-east-1": "Z166TLBEWOO7G0",
  "us-gov-west-1": "Z33AYJ8TM3BH4J",
  "us-west-1": "Z368ELLRRE2KJ0",
  "us-west-2": "Z1H1FL5HABSF5",
};
