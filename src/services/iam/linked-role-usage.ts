/** What keeps a service-linked role from being deleted, asked of the services that Slipway has. */
import { ListClustersCommand } from "@aws-sdk/client-ecs";
import { DescribeLoadBalancersCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as sdk from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";

/** A role is for all regions. https://docs.aws.amazon.com/general/latest/gr/rande.html */
const REGIONS = [
  "af-south-1",
  "ap-east-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ca-central-1",
  "ca-west-1",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
] as const;

/** ARNs of what uses the role in one region: the guides say that all clusters, and all load balancers, must be deleted. */
const USERS: Readonly<Record<string, (client: Client) => Promise<readonly string[]>>> = {
  "ecs.amazonaws.com": async (client) => (await client.send(new ListClustersCommand({}))).clusterArns ?? [],
  "elasticloadbalancing.amazonaws.com": async (client) => {
    const { LoadBalancers = [] } = await client.send(new DescribeLoadBalancersCommand({}));
    return LoadBalancers.flatMap(({ LoadBalancerArn }) => LoadBalancerArn ?? []);
  },
};

/** Empty where nothing uses the role, or Slipway does not have the service. */
export async function linkedRoleUsage(call: Call, service: string): Promise<sdk.RoleUsageType[]> {
  const usersIn = Object.hasOwn(USERS, service) ? USERS[service] : undefined;
  if (!usersIn) return [];
  const { accountId, system } = call;
  const usage: sdk.RoleUsageType[] = [];
  for (const region of new Set([call.region, system.config.region, ...REGIONS])) {
    const client = system.client(rootPrincipal(accountId), { accountId, region, db: call.db });
    const Resources = [...(await usersIn(client))];
    if (Resources.length > 0) usage.push({ Region: region, Resources });
  }
  return usage;
}
