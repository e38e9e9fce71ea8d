/**
 * The service roles that AWS's consoles make, with their names, and no more rights than their service needs for what it is
 * told of. https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html,
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
 */

export interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[] | string;
  readonly Resource: readonly string[] | string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[] | string>>>>;
}

/** One of the account's own, made with the role. */
export interface Policy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

export interface ServiceRole {
  readonly name: string;
  readonly path: string;
  /** Who may assume it. */
  readonly service: string;
  readonly policies: readonly Policy[];
  readonly managedPolicyArns: readonly string[];
}

/** What a person can do something about: a role that is in the way, an action that no policy is known for. */
export class CreateServiceRoleError extends Error {
  override readonly name = "CreateServiceRoleError";
}

export interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** The consoles' path for roles and the policies that come with them. */
const PATH = "/service-role/";

export interface CodeBuildRoleOptions extends Place {
  readonly project: string;
  /** "codebuild-PROJECT-service-role" where absent, as the console suggests. */
  readonly name?: string;
  /** Where the project writes its log; CodeBuild's own group where absent. */
  readonly logGroup?: string;
  /** Buckets of artifacts; the one that CodePipeline's console makes in the region where absent. */
  readonly artifactBuckets?: readonly string[];
  /** For a source behind a connection. */
  readonly connectionArn?: string;
  /** Repositories that builds push to, by name. */
  readonly pushesTo?: readonly string[];
  readonly vpc?: { readonly subnetIds: readonly string[] };
}

export function codeBuildRole(options: CodeBuildRoleOptions): ServiceRole {
  const { project, region, accountId, connectionArn, pushesTo, vpc } = options;
  const named = `${project}-${region}`;
  const policies: Policy[] = [{ name: `CodeBuildBasePolicy-${named}`, statements: codeBuildBase(options) }];
  if (connectionArn) {
    const name = `CodeBuildCodeConnectionsSourceCredentialsPolicy-${named}-${accountId}`;
    policies.push({ name, statements: [connectionToken(connectionArn)] });
  }
  if (vpc) policies.push({ name: `CodeBuildVpcPolicy-${named}`, statements: vpcAccess(options, vpc.subnetIds) });
  // The console leaves pushing to the user; this name is ours.
  if (pushesTo) policies.push({ name: `CodeBuildImagePushPolicy-${named}`, statements: imagePush(options, pushesTo) });
  return {
    name: options.name ?? `codebuild-${project}-service-role`,
    path: PATH,
    service: "codebuild.amazonaws.com",
    policies,
    managedPolicyArns: [],
  };
}

function codeBuildBase({ project, region, accountId, ...options }: CodeBuildRoleOptions): Statement[] {
  const logGroup = `arn:aws:logs:${region}:${accountId}:log-group:${options.logGroup ?? `/aws/codebuild/${project}`}`;
  const buckets = options.artifactBuckets?.flatMap((name) => [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`]);
  return [
    {
      Effect: "Allow",
      Resource: [logGroup, `${logGroup}:*`],
      Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    },
    {
      Effect: "Allow",
      Resource: buckets ?? [`arn:aws:s3:::codepipeline-${region}-*`],
      Action: ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketAcl", "s3:GetBucketLocation"],
    },
    {
      Effect: "Allow",
      Action: [
        "codebuild:CreateReportGroup",
        "codebuild:CreateReport",
        "codebuild:UpdateReport",
        "codebuild:BatchPutTestCases",
        "codebuild:BatchPutCodeCoverages",
      ],
      Resource: [`arn:aws:codebuild:${region}:${accountId}:report-group/${project}-*`],
    },
  ];
}

/** A connection has an ARN under each of the two names of its service. */
function connectionArns(arn: string): string[] {
  return [
    ...new Set(
      ["codestar-connections", "codeconnections"].map((name) => arn.replace(/^arn:aws:[^:]+/, `arn:aws:${name}`)),
    ),
  ];
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html */
function connectionToken(arn: string): Statement {
  return {
    Effect: "Allow",
    Action: [
      "codestar-connections:GetConnectionToken",
      "codestar-connections:GetConnection",
      "codeconnections:GetConnectionToken",
      "codeconnections:GetConnection",
      "codeconnections:UseConnection",
    ],
    Resource: connectionArns(arn),
  };
}

/** https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html#customer-managed-policies-example-create-vpc-network-interface */
function vpcAccess({ region, accountId }: Place, subnetIds: readonly string[]): Statement[] {
  return [
    {
      Effect: "Allow",
      Action: [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeVpcs",
      ],
      Resource: "*",
    },
    {
      Effect: "Allow",
      Action: ["ec2:CreateNetworkInterfacePermission"],
      Resource: `arn:aws:ec2:${region}:${accountId}:network-interface/*`,
      Condition: {
        StringEquals: {
          "ec2:Subnet": subnetIds.map((id) => `arn:aws:ec2:${region}:${accountId}:subnet/${id}`),
          "ec2:AuthorizedService": "codebuild.amazonaws.com",
        },
      },
    },
  ];
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html */
function imagePush({ region, accountId }: Place, repositories: readonly string[]): Statement[] {
  return [
    { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    {
      Effect: "Allow",
      Action: [
        "ecr:BatchGetImage",
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ],
      Resource: repositories.map((name) => `arn:aws:ecr:${region}:${accountId}:repository/${name}`),
    },
  ];
}

/** An action of a pipeline, as its declaration has it. */
export interface PipelineAction {
  readonly provider: string;
  readonly configuration?: Readonly<Record<string, string>>;
}

export interface CodePipelineRoleOptions extends Place {
  readonly pipeline: string;
  readonly name?: string;
  readonly artifactBucket: string;
  readonly actions: readonly PipelineAction[];
  /** Roles of the task definitions that ECS actions deploy; all of the account's, to ECS only, where absent. */
  readonly taskRoleArns?: readonly string[];
}

/** Throws CreateServiceRoleError for an action that no policy is known for. */
export function codePipelineRole(options: CodePipelineRoleOptions): ServiceRole {
  const { pipeline, region, artifactBucket, actions } = options;
  const name = `AWSCodePipelineServiceRole-${region}-${pipeline}`;
  const statements: Statement[] = [
    {
      Effect: "Allow",
      Action: ["s3:GetBucketVersioning", "s3:GetBucketAcl", "s3:GetBucketLocation"],
      Resource: `arn:aws:s3:::${artifactBucket}`,
    },
    {
      Effect: "Allow",
      Action: ["s3:PutObject", "s3:PutObjectAcl", "s3:GetObject", "s3:GetObjectVersion"],
      Resource: `arn:aws:s3:::${artifactBucket}/*`,
    },
    ...actions.flatMap((action) => actionStatements(action, options)),
  ];
  return {
    name: options.name ?? name,
    path: PATH,
    service: "codepipeline.amazonaws.com",
    policies: [{ name, statements }],
    managedPolicyArns: [],
  };
}

/** "Add permissions to the CodePipeline service role", by provider, on what the action names. */
function actionStatements(
  { provider, configuration = {} }: PipelineAction,
  options: CodePipelineRoleOptions,
): Statement[] {
  const { region, accountId } = options;
  switch (provider) {
    case "CodeStarSourceConnection":
      return [
        {
          Effect: "Allow",
          Action: ["codestar-connections:UseConnection", "codeconnections:UseConnection"],
          Resource: connectionArns(configuration.ConnectionArn ?? "*"),
        },
      ];
    case "CodeBuild":
      return [
        {
          Effect: "Allow",
          Action: [
            "codebuild:BatchGetBuilds",
            "codebuild:StartBuild",
            "codebuild:BatchGetBuildBatches",
            "codebuild:StartBuildBatch",
          ],
          Resource: `arn:aws:codebuild:${region}:${accountId}:project/${configuration.ProjectName ?? "*"}`,
        },
      ];
    case "ECS":
      return ecsDeployment(configuration, options);
    case "Manual":
      return configuration.NotificationArn
        ? [{ Effect: "Allow", Action: "sns:Publish", Resource: configuration.NotificationArn }]
        : [];
    default:
      throw new CreateServiceRoleError(`There is no policy for actions of ${provider} in this version`);
  }
}

/** https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html#edit-role-ecs */
function ecsDeployment(
  { ClusterName = "*", ServiceName = "*" }: Readonly<Record<string, string>>,
  { region, accountId, taskRoleArns }: CodePipelineRoleOptions,
): Statement[] {
  const ecs = `arn:aws:ecs:${region}:${accountId}`;
  return [
    {
      Effect: "Allow",
      Action: ["ecs:DescribeServices", "ecs:UpdateService"],
      Resource: `${ecs}:service/${ClusterName}/${ServiceName}`,
    },
    {
      Effect: "Allow",
      Action: ["ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:RegisterTaskDefinition"],
      Resource: "*",
    },
    {
      Effect: "Allow",
      Action: "ecs:TagResource",
      Resource: `${ecs}:task-definition/*`,
    },
    {
      Effect: "Allow",
      Action: "iam:PassRole",
      Resource: taskRoleArns ?? `arn:aws:iam::${accountId}:role/*`,
      Condition: { StringEquals: { "iam:PassedToService": ["ecs.amazonaws.com", "ecs-tasks.amazonaws.com"] } },
    },
  ];
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html */
export function ecsTaskExecutionRole({ name = "ecsTaskExecutionRole" }: { readonly name?: string } = {}): ServiceRole {
  return {
    name,
    path: "/",
    service: "ecs-tasks.amazonaws.com",
    policies: [],
    managedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
  };
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/codedeploy_IAM_role.html */
export function codeDeployEcsRole({ name = "ecsCodeDeployRole" }: { readonly name?: string } = {}): ServiceRole {
  return {
    name,
    path: "/",
    service: "codedeploy.amazonaws.com",
    policies: [],
    managedPolicyArns: ["arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"],
  };
}

export interface PipelineTriggerRoleOptions extends Place {
  readonly pipeline: string;
  readonly name?: string;
}

/** With which EventBridge starts a pipeline; named as CodePipeline's console names it. */
export function pipelineTriggerRole({ pipeline, region, accountId, name }: PipelineTriggerRoleOptions): ServiceRole {
  const statement: Statement = {
    Effect: "Allow",
    Action: ["codepipeline:StartPipelineExecution"],
    Resource: [`arn:aws:codepipeline:${region}:${accountId}:${pipeline}`],
  };
  return {
    name: name ?? `cwe-role-${region}-${pipeline}`,
    path: PATH,
    service: "events.amazonaws.com",
    policies: [{ name: `start-pipeline-execution-${region}-${pipeline}`, statements: [statement] }],
    managedPolicyArns: [],
  };
}
