/**
 * `slipway create-service-role KIND NAME`: the role that AWS's console would make, and its ARN on standard output. NAME is
 * the project's or the pipeline's; of the roles that an account has once, the role's own, which may be left out.
 */
import { parseArgs } from "node:util";
import { CodePipelineClient, GetPipelineCommand } from "@aws-sdk/client-codepipeline";
import { IAMClient } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import {
  CreateServiceRoleError,
  codeBuildRole,
  codeDeployEcsRole,
  codePipelineRole,
  ecsTaskExecutionRole,
  type PipelineAction,
  pipelineTriggerRole,
  type ServiceRole,
} from "#roles/definitions.ts";
import { createServiceRole } from "#roles/service-role.ts";
import { UsageError } from "./options.ts";
import { requireRunning } from "./running.ts";

const OPTIONS = {
  data: { type: "string" },
  "log-group": { type: "string" },
  bucket: { type: "string" },
  connection: { type: "string" },
  "push-to": { type: "string", multiple: true },
  subnet: { type: "string", multiple: true },
  action: { type: "string", multiple: true },
  like: { type: "string" },
} as const;

const KINDS = ["codebuild", "codepipeline", "events", "codedeploy-ecs", "ecs-task-execution"] as const;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: true });
  const [kind, name] = positionals;
  const running = requireRunning(values.data);
  const { url, region, accessKeyId, secretAccessKey } = running;
  const configuration = { endpoint: url, region, credentials: { accessKeyId, secretAccessKey } };
  const { Account = "" } = await new STSClient(configuration).send(new GetCallerIdentityCommand({}));
  const place = { accountId: Account, region };

  const roleOf = async (): Promise<ServiceRole> => {
    switch (kind) {
      case "codebuild":
        return codeBuildRole({
          ...place,
          project: required(name, "the project's name"),
          ...(values["log-group"] && { logGroup: values["log-group"] }),
          ...(values.bucket && { artifactBuckets: [values.bucket] }),
          ...(values.connection && { connectionArn: values.connection }),
          ...(values["push-to"] && { pushesTo: values["push-to"] }),
          ...(values.subnet && { vpc: { subnetIds: values.subnet } }),
        });
      case "codepipeline":
        return codePipelineRole({
          ...place,
          pipeline: required(name, "the pipeline's name"),
          artifactBucket: values.bucket ?? `codepipeline-${region}-${Account}`,
          actions: values.like
            ? await actionsOf(new CodePipelineClient(configuration), values.like)
            : (values.action ?? []).map(toAction),
        });
      case "events":
        return pipelineTriggerRole({ ...place, pipeline: required(name, "the pipeline's name") });
      case "codedeploy-ecs":
        return codeDeployEcsRole(name === undefined ? {} : { name });
      case "ecs-task-execution":
        return ecsTaskExecutionRole(name === undefined ? {} : { name });
      default:
        throw new UsageError(`create-service-role takes one of ${KINDS.join(", ")}`);
    }
  };
  try {
    process.stdout.write(`${await createServiceRole(new IAMClient(configuration), await roleOf())}\n`);
  } catch (error) {
    throw error instanceof CreateServiceRoleError ? new UsageError(error.message) : error;
  }
  return 0;
}

function required(name: string | undefined, what: string): string {
  if (!name) throw new UsageError(`create-service-role needs ${what}`);
  return name;
}

/** "CodeBuild:ProjectName=bake" or "ECS:ClusterName=c,ServiceName=s". */
function toAction(text: string): PipelineAction {
  const [provider = "", settings = ""] = text.split(/:(.*)/s);
  const configuration = Object.fromEntries(
    settings
      .split(",")
      .filter(Boolean)
      .map((setting) => {
        const [key = "", value] = setting.split(/=(.*)/s);
        if (value === undefined) throw new UsageError("--action takes PROVIDER:KEY=VALUE,…");
        return [key, value];
      }),
  );
  return { provider, configuration };
}

/** The actions of a pipeline that is there. */
async function actionsOf(client: CodePipelineClient, name: string): Promise<PipelineAction[]> {
  const { pipeline } = await client.send(new GetPipelineCommand({ name }));
  const actions = pipeline?.stages?.flatMap((stage) => stage.actions ?? []) ?? [];
  return actions.map(({ actionTypeId, configuration }) => ({
    provider: actionTypeId!.provider!,
    ...(configuration && { configuration }),
  }));
}
