/** The nouns of AWS CodeConnections (CodeStar Connections before March 2024) and their ARNs. */
import { randomBytes, randomUUID } from "node:crypto";

/** Both names are served; a resource's ARN carries the name that it was made under. */
export type ServicePrefix = "codestar-connections" | "codeconnections";

export interface Scope {
  readonly accountId: string;
  readonly region: string;
}

export interface Connection extends Scope {
  /** The UUID in the ARN. */
  readonly id: string;
  readonly prefix: ServicePrefix;
  readonly name: string;
  readonly providerType: string;
  readonly hostArn: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly tags: Tags;
}

export interface Host extends Scope {
  /** `NAME-xxxxxxxx`, as in the ARN. */
  readonly id: string;
  readonly prefix: ServicePrefix;
  readonly name: string;
  readonly providerType: string;
  readonly providerEndpoint: string;
  readonly vpcConfiguration: VpcConfiguration | undefined;
  readonly createdAt: number;
  readonly tags: Tags;
}

export interface VpcConfiguration {
  readonly VpcId: string;
  readonly SubnetIds: string[];
  readonly SecurityGroupIds: string[];
  readonly TlsCertificate?: string;
}

export type Tags = Readonly<Record<string, string>>;

/** Providers that somebody runs themselves: their connections need a host. */
export const HOSTED_PROVIDERS: readonly string[] = ["GitHubEnterpriseServer", "GitLabSelfManaged"];

export const newConnectionId = (): string => randomUUID();

/** https://docs.aws.amazon.com/codestar-connections/latest/APIReference/API_CreateHost.html */
export const newHostId = (name: string): string => `${name}-${randomBytes(4).toString("hex")}`;

export function connectionArn({ prefix, region, accountId, id }: Omit<Connection, "name">): string {
  return `arn:aws:${prefix}:${region}:${accountId}:connection/${id}`;
}

export function hostArn({
  prefix,
  region,
  accountId,
  id,
}: Pick<Host, "prefix" | "region" | "accountId" | "id">): string {
  return `arn:aws:${prefix}:${region}:${accountId}:host/${id}`;
}

export interface ResourceAddress extends Scope {
  readonly type: "connection" | "host";
  readonly id: string;
}

/** Either prefix names the same resource. undefined where the text is no such ARN. */
export function parsedArn(arn: string): ResourceAddress | undefined {
  const match =
    /^arn:aws[\w-]*:(?:codestar-connections|codeconnections):([^:]+):(\d{12}):(connection|host)\/(.+)$/.exec(arn);
  if (!match) return undefined;
  return { region: match[1]!, accountId: match[2]!, type: match[3] as ResourceAddress["type"], id: match[4]! };
}
