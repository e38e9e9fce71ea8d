/** Hosts: the installations of providers that somebody runs themselves. */
import type * as sdk from "@aws-sdk/client-codestar-connections";
import type { Config } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { providerIsConfigured } from "#git/provider-remote.ts";
import { hostInUse, invalid } from "../errors.ts";
import { existingHost, namedResource } from "../lookup.ts";
import {
  HOSTED_PROVIDERS,
  type Host,
  hostArn,
  newHostId,
  type ServicePrefix,
  type VpcConfiguration,
} from "../model.ts";
import { afterToken, pageOf } from "../paging.ts";
import { deleteResource, insertHost, listConnections, listHosts, updateHost } from "../store.ts";
import { mergedTags, requestTags } from "../tag-rules.ts";

export function createHost(prefix: ServicePrefix): OperationOf<sdk.CreateHostCommand> {
  return {
    authorize: {
      action: `${prefix}:CreateHost`,
      resources: (_input, call) => [`arn:aws:${prefix}:${call.region}:${call.accountId}:host/*`],
      context: ({ ProviderType, VpcConfiguration, Tags }) => ({
        [`${prefix}:providertype`]: ProviderType,
        [`${prefix}:vpcid`]: VpcConfiguration?.VpcId,
        ...requestTags(Tags),
      }),
    },
    async run(input, call) {
      if (!HOSTED_PROVIDERS.includes(input.ProviderType!)) {
        throw invalid(`Hosts are for the provider types ${HOSTED_PROVIDERS.join(" and ")}`);
      }
      const host: Host = {
        accountId: call.accountId,
        region: call.region,
        id: newHostId(input.Name!),
        prefix,
        name: input.Name!,
        providerType: input.ProviderType!,
        providerEndpoint: input.ProviderEndpoint!,
        vpcConfiguration: input.VpcConfiguration as VpcConfiguration | undefined,
        createdAt: call.now.getTime(),
        tags: mergedTags({}, input.Tags),
      };
      await insertHost(call.db, host);
      return { HostArn: hostArn(host), ...(input.Tags && { Tags: input.Tags }) };
    },
  };
}

export const CreateHost = createHost("codestar-connections");

export const GetHost: OperationOf<sdk.GetHostCommand> = {
  authorize: {
    action: "codestar-connections:GetHost",
    resources: (input, call) => namedResource(input.HostArn!, call),
  },
  async run(input, call) {
    const { HostArn, ...view } = hostView(await existingHost(input.HostArn!, call), call.system.config);
    return view;
  },
};

export const ListHosts: OperationOf<sdk.ListHostsCommand> = {
  authorize: { action: "codestar-connections:ListHosts", resources: () => ["*"] },
  async run(input, call) {
    const { accountId, region } = call;
    const after = afterToken(input.NextToken);
    const { items, nextToken } = await pageOf(input.MaxResults, (limit) =>
      listHosts(call.db, { accountId, region, after, limit }),
    );
    return { Hosts: items.map((host) => hostView(host, call.system.config)), NextToken: nextToken };
  },
};

export const UpdateHost: OperationOf<sdk.UpdateHostCommand> = {
  authorize: {
    action: "codestar-connections:UpdateHost",
    resources: (input, call) => namedResource(input.HostArn!, call),
    context: (input) => ({ "codestar-connections:vpcid": input.VpcConfiguration?.VpcId }),
  },
  async run(input, call) {
    const host = await existingHost(input.HostArn!, call);
    await updateHost(call.db, host, {
      providerEndpoint: input.ProviderEndpoint ?? host.providerEndpoint,
      vpcConfiguration: (input.VpcConfiguration as VpcConfiguration | undefined) ?? host.vpcConfiguration,
    });
    return {};
  },
};

/** "Before you delete a host, all connections associated to the host must be deleted." */
export const DeleteHost: OperationOf<sdk.DeleteHostCommand> = {
  authorize: {
    action: "codestar-connections:DeleteHost",
    resources: (input, call) => namedResource(input.HostArn!, call),
  },
  async run(input, call) {
    const host = await existingHost(input.HostArn!, call);
    const { accountId, region } = host;
    const users = await listConnections(call.db, {
      accountId,
      region,
      hostArn: hostArn(host),
      after: undefined,
      limit: 1,
    });
    if (users.length > 0) throw hostInUse(hostArn(host));
    await deleteResource(call.db, { ...host, type: "host" });
    return {};
  },
};

function hostView(host: Host, config: Config): sdk.Host {
  return {
    Name: host.name,
    HostArn: hostArn(host),
    ProviderType: host.providerType as sdk.ProviderType,
    ProviderEndpoint: host.providerEndpoint,
    VpcConfiguration: host.vpcConfiguration,
    Status: providerIsConfigured(host.providerType, config.providerEndpoints) ? "AVAILABLE" : "PENDING",
  };
}
