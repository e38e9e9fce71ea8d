/** A source that is reached through a connection, with the role's permission to have its token. */
import type { ProjectSource } from "@aws-sdk/client-codebuild";
import { GetConnectionCommand } from "@aws-sdk/client-codestar-connections";
import type { Client } from "#gateway/client.ts";
import { type System, servicePrincipal } from "#gateway/context.ts";
import { providerRemote } from "#git/provider-remote.ts";
import type { Remote } from "#git/repository.ts";
import { CODEBUILD_PRINCIPAL } from "../service-role.ts";
import { sourceConnection } from "../source-token.ts";
import { PhaseFailure } from "./phase-failure.ts";

const NAMES = ["codeconnections", "codestar-connections"];

/**
 * undefined where neither the source nor the account's credentials for its type name a connection. Throws PhaseFailure
 * where the role may not have the connection's token or the connection is not available.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
 */
export async function connectedRemote(
  system: System,
  role: Client,
  source: ProjectSource,
  repositoryId: string | undefined,
): Promise<Remote | undefined> {
  const arn = await sourceConnection(system, role.scope, source);
  if (arn === undefined || repositoryId === undefined) return undefined;
  for (const action of ["GetConnection", "GetConnectionToken"]) {
    const requests = NAMES.map((name) => ({ action: `${name}:${action}`, resource: arn }));
    if (await role.allowsOneOf(requests)) continue;
    throw failure(`Access denied to connection ${arn}: the service role is not allowed ${action}`);
  }
  const service = system.client(servicePrincipal(CODEBUILD_PRINCIPAL, role.scope.accountId), role.scope);
  const { Connection } = await service.send(new GetConnectionCommand({ ConnectionArn: arn }));
  if (Connection?.ConnectionStatus !== "AVAILABLE") throw failure(`Connection ${arn} is not available`);
  return providerRemote(Connection.ProviderType!, repositoryId, system.config.providerEndpoints);
}

function failure(message: string): PhaseFailure {
  return new PhaseFailure("CLIENT_ERROR", message);
}
