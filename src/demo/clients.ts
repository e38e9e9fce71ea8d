/** The SDK's own clients, pointed at one Slipway: the demo uses nothing that a user could not. */
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { CodeStarConnectionsClient } from "@aws-sdk/client-codestar-connections";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";

export interface Endpoint {
  /** "http://127.0.0.1:4566" */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export type Clients = ReturnType<typeof clientsOf>;

export function clientsOf({ url, region, accessKeyId, secretAccessKey }: Endpoint) {
  const configuration = { endpoint: url, region, credentials: { accessKeyId, secretAccessKey } };
  return {
    codebuild: new CodeBuildClient(configuration),
    codepipeline: new CodePipelineClient(configuration),
    connections: new CodeStarConnectionsClient(configuration),
    ecr: new ECRClient(configuration),
    ecs: new ECSClient(configuration),
    elbv2: new ElasticLoadBalancingV2Client(configuration),
    iam: new IAMClient(configuration),
    logs: new CloudWatchLogsClient(configuration),
    s3: new S3Client({ ...configuration, forcePathStyle: true }),
  };
}
