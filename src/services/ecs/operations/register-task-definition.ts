/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html */
import type * as sdk from "@aws-sdk/client-ecs";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { tagging, taskDefinitionKeys } from "../condition-keys.ts";
import { taskDefinitionArn } from "../model.ts";
import { TASKS_SERVICE } from "../running/task-steps.ts";
import { putTags } from "../store/tags.ts";
import { insertTaskDefinition } from "../store/task-definitions.ts";
import { checkedTags } from "../tag-rules.ts";
import { taskDefinitionDocument, withRoleArns } from "../task-definition-rules.ts";
import { taskDefinitionView } from "./task-definitions.ts";

export const RegisterTaskDefinition: OperationOf<sdk.RegisterTaskDefinitionCommand> = {
  authorize: {
    action: "ecs:RegisterTaskDefinition",
    resources: (input, call) => [taskDefinitionArn(call, input.family ?? "", "*")],
    context: taskDefinitionKeys,
    additional: (input, _call, resources) => tagging("RegisterTaskDefinition", input, resources),
    passedRoles(input, { accountId }) {
      const { taskRoleArn, executionRoleArn } = withRoleArns(input, accountId);
      return [taskRoleArn, executionRoleArn]
        .filter((roleArn) => roleArn !== undefined)
        .map((roleArn) => ({ roleArn, service: TASKS_SERVICE }));
    },
  },
  async run(input, call) {
    const document = taskDefinitionDocument(withRoleArns(input, call.accountId));
    const tags = checkedTags(input.tags);
    const definition = await inTransaction(call.db, async (trx) => {
      const inserted = await insertTaskDefinition(trx, {
        accountId: call.accountId,
        region: call.region,
        family: input.family!,
        status: "ACTIVE",
        registeredAt: call.now.getTime(),
        registeredBy: call.principal.arn,
        document,
      });
      await putTags(trx, taskDefinitionArn(call, inserted.family, inserted.revision), tags);
      return inserted;
    });
    return { taskDefinition: taskDefinitionView(definition), tags };
  },
};
