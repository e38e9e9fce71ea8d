/** The action types that pipelines can be made of. */
import type * as sdk from "@aws-sdk/client-codepipeline";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { ActionType } from "../actions/action-provider.ts";
import { actionProviders } from "../actions/providers.ts";
import { actionTypeNotFound, invalidNextToken } from "../errors.ts";

/** All fit on one page, so there is no token to come back with. */
export const ListActionTypes: OperationOf<sdk.ListActionTypesCommand> = {
  authorize: { action: "codepipeline:ListActionTypes", resources: (_input, call) => [actionTypeArn(call, "*")] },
  async run(input, call) {
    if (input.nextToken !== undefined) throw invalidNextToken();
    const here = input.regionFilter === undefined || input.regionFilter === call.region;
    const types = actionProviders
      .map(({ type }) => type)
      .filter(({ id }) => here && (input.actionOwnerFilter === undefined || id.owner === input.actionOwnerFilter));
    return { actionTypes: types.map(typeView) };
  },
};

export const GetActionType: OperationOf<sdk.GetActionTypeCommand> = {
  authorize: {
    action: "codepipeline:GetActionType",
    resources: ({ owner, category, provider, version }, call) => [
      actionTypeArn(call, `${owner}/${category}/${provider}/${version}`),
    ],
  },
  async run({ category = "", owner = "", provider = "", version = "" }) {
    const found = actionProviders.find(
      ({ type: { id } }) =>
        id.category === category && id.owner === owner && id.provider === provider && id.version === version,
    );
    if (!found) throw actionTypeNotFound(category, owner, provider, version);
    return { actionType: declarationView(found.type) };
  },
};

function actionTypeArn({ region, accountId }: Call, name: string): string {
  return `arn:aws:codepipeline:${region}:${accountId}:actiontype:${name}`;
}

function typeView({ id, properties, inputs, outputs }: ActionType): sdk.ActionType {
  return {
    id,
    actionConfigurationProperties: properties.map(({ name, required, description }) => ({
      name,
      required,
      key: required,
      secret: false,
      queryable: false,
      description,
      type: "String",
    })),
    inputArtifactDetails: { minimumCount: inputs.minimum, maximumCount: inputs.maximum },
    outputArtifactDetails: { minimumCount: outputs.minimum, maximumCount: outputs.maximum },
  };
}

function declarationView({ id, description, properties, inputs, outputs }: ActionType): sdk.ActionTypeDeclaration {
  return {
    description,
    executor: {
      type: "JobWorker",
      configuration: { jobWorkerExecutorConfiguration: { pollingServicePrincipals: ["codepipeline.amazonaws.com"] } },
    },
    id,
    inputArtifactDetails: { minimumCount: inputs.minimum, maximumCount: inputs.maximum },
    outputArtifactDetails: { minimumCount: outputs.minimum, maximumCount: outputs.maximum },
    properties: properties.map((property) => ({
      name: property.name,
      optional: !property.required,
      key: property.required,
      noEcho: false,
      description: property.description,
    })),
  };
}
