/** Sessions of the roles that a pipeline acts with. */
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import type { Client } from "#gateway/client.ts";
import { type System, servicePrincipal } from "#gateway/context.ts";
import { ActionFailure } from "./actions/action-provider.ts";
import { isServiceError } from "./actions/service-errors.ts";
import { type Pipeline, pipelineArn } from "./model.ts";

type Owner = Pick<Pipeline, "accountId" | "region" | "name">;

/**
 * A client with a session of the pipeline's role, or of the action's own role, which the pipeline's role assumes. Throws
 * ActionFailure where a role may not be assumed.
 */
export async function roleClient(
  system: System,
  pipeline: Owner,
  roleArn: string,
  actionRoleArn: string | undefined,
  sessionName: string,
): Promise<Client> {
  const service = servicePrincipal("codepipeline.amazonaws.com", pipeline.accountId);
  const { accountId, region } = pipeline;
  const sourceArn = pipelineArn(pipeline, pipeline.name);
  const asService = system.client(service, { accountId, region, sourceArn });
  const asRole = await assumed(system, asService, roleArn, sessionName, "CodePipeline");
  if (actionRoleArn === undefined || actionRoleArn === roleArn) return asRole;
  return assumed(system, asRole, actionRoleArn, sessionName, roleArn);
}

async function assumed(
  system: System,
  client: Client,
  roleArn: string,
  sessionName: string,
  who: string,
): Promise<Client> {
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName });
  const { Credentials } = await client.send(command).catch((error: unknown) => {
    if (!isServiceError(error)) throw error;
    throw new ActionFailure("PermissionError", `${who} is not authorized to perform AssumeRole on role ${roleArn}`);
  });
  const principal = await system.principalOf(Credentials!);
  const { region, sourceArn } = client.scope;
  // CodeBuild names the pipeline as the build's initiator by it.
  return system.client(principal, {
    accountId: principal.accountId,
    region,
    ...(sourceArn !== undefined && { sourceArn }),
  });
}
