/** https://docs.aws.amazon.com/codestar-connections/latest/APIReference/API_Operations.html */
import type * as sdk from "@aws-sdk/client-codestar-connections";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call, Config } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { providerIsConfigured } from "#git/provider-remote.ts";
import { invalid } from "../errors.ts";
import { existingConnection, existingHost, namedResource } from "../lookup.ts";
import {
  type Connection,
  connectionArn,
  HOSTED_PROVIDERS,
  hostArn,
  newConnectionId,
  parsedArn,
  type ServicePrefix,
} from "../model.ts";
import { afterToken, pageOf } from "../paging.ts";
import { deleteResource, findHost, insertConnection, listConnections } from "../store.ts";
import { mergedTags, requestTags } from "../tag-rules.ts";

/** The ARN of what it makes carries the name that the caller used the service by. */
export function createConnection(prefix: ServicePrefix): OperationOf<sdk.CreateConnectionCommand> {
  return {
    authorize: {
      action: `${prefix}:CreateConnection`,
      resources: (_input, call) => [`arn:aws:${prefix}:${call.region}:${call.accountId}:connection/*`],
      context: ({ ProviderType, HostArn, Tags }) => ({
        [`${prefix}:providertype`]: ProviderType,
        [`${prefix}:hostarn`]: HostArn,
        ...requestTags(Tags),
      }),
    },
    async run(input, call) {
      const host = input.HostArn === undefined ? undefined : await existingHost(input.HostArn, call);
      const providerType = input.ProviderType ?? host?.providerType;
      if (providerType === undefined) throw invalid("Either ProviderType or HostArn must be given");
      if (host && host.providerType !== providerType) {
        throw invalid(`The host is of the provider type ${host.providerType}, the connection of ${providerType}`);
      }
      if (!host && HOSTED_PROVIDERS.includes(providerType)) {
        throw invalid(
          `A connection of the provider type ${providerType} needs a host: create one and give its HostArn`,
        );
      }
      const connection: Connection = {
        accountId: call.accountId,
        region: call.region,
        id: newConnectionId(),
        prefix,
        name: input.ConnectionName!,
        providerType,
        hostArn: host && hostArn(host),
        createdAt: call.now.getTime(),
        tags: mergedTags({}, input.Tags),
      };
      await insertConnection(call.db, connection);
      return { ConnectionArn: connectionArn(connection), ...(input.Tags && { Tags: input.Tags }) };
    },
  };
}

export const CreateConnection = createConnection("codestar-connections");

/** CodePipeline and CodeBuild look up connections whose use they have authorised (UseConnection) for their roles. */
const FOR_SERVICES = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { Service: ["codepipeline.amazonaws.com", "codebuild.amazonaws.com"] },
    Action: ["codestar-connections:GetConnection", "codeconnections:GetConnection"],
    Resource: "*",
  },
});
const forServices = compilePolicy(parsePolicy(FOR_SERVICES, "resource"));

export const GetConnection: OperationOf<sdk.GetConnectionCommand> = {
  authorize: {
    action: "codestar-connections:GetConnection",
    resources: (input, call) => namedResource(input.ConnectionArn!, call),
    // A service's own calls are made in the account that it works for.
    resourcePolicy: (_resource, _input, call) =>
      call.principal.type === "Service" && call.principal.accountId === call.accountId ? forServices : undefined,
  },
  async run(input, call) {
    return { Connection: connectionView(await existingConnection(input.ConnectionArn!, call), call.system.config) };
  },
};

/** Those of both names are listed whichever the caller uses, which policies are asked about. */
export function connectionList(prefix: ServicePrefix): OperationOf<sdk.ListConnectionsCommand> {
  return {
    authorize: {
      action: `${prefix}:ListConnections`,
      resources: (_input, call) => [`arn:aws:${prefix}:${call.region}:${call.accountId}:connection/*`],
      context: (input) => ({ [`${prefix}:providertypefilter`]: input.ProviderTypeFilter }),
    },
    run: listedConnections,
  };
}

export const ListConnections = connectionList("codestar-connections");

async function listedConnections(input: sdk.ListConnectionsCommandInput, call: Call) {
  const { accountId, region } = call;
  const after = afterToken(input.NextToken);
  const hostArnFilter = input.HostArnFilter && (await canonicalHostArn(input.HostArnFilter, call));
  const { items, nextToken } = await pageOf(input.MaxResults, (limit) =>
    listConnections(call.db, {
      accountId,
      region,
      providerType: input.ProviderTypeFilter,
      hostArn: hostArnFilter,
      after,
      limit,
    }),
  );
  return {
    Connections: items.map((connection) => connectionView(connection, call.system.config)),
    NextToken: nextToken,
  };
}

export const DeleteConnection: OperationOf<sdk.DeleteConnectionCommand> = {
  authorize: {
    action: "codestar-connections:DeleteConnection",
    resources: (input, call) => namedResource(input.ConnectionArn!, call),
  },
  async run(input, call) {
    const connection = await existingConnection(input.ConnectionArn!, call);
    await deleteResource(call.db, { ...connection, type: "connection" });
    return {};
  },
};

async function canonicalHostArn(arn: string, call: Call): Promise<string> {
  const address = parsedArn(arn);
  const host = address?.type === "host" ? await findHost(call.db, address) : undefined;
  return host ? hostArn(host) : arn;
}

/**
 * AVAILABLE as soon as Slipway can read the provider's repositories; PENDING before that, as AWS's connections are until
 * somebody completes the handshake in the console.
 */
function connectionView(connection: Connection, config: Config): sdk.Connection {
  const available = providerIsConfigured(connection.providerType, config.providerEndpoints);
  return {
    ConnectionName: connection.name,
    ConnectionArn: connectionArn(connection),
    ProviderType: connection.providerType as sdk.ProviderType,
    OwnerAccountId: connection.accountId,
    ConnectionStatus: available ? "AVAILABLE" : "PENDING",
    HostArn: connection.hostArn,
  };
}
