/** The action providers that are built. A pipeline that asks for another is refused when it is made. */
import type { ActionTypeId } from "../model.ts";
import type { ActionProvider } from "./action-provider.ts";
import { codeBuildBuild, codeBuildTest } from "./code-build.ts";
import { codestarSourceConnection } from "./codestar-source-connection.ts";
import { ecs } from "./ecs.ts";
import { manualApproval } from "./manual-approval.ts";

export const actionProviders: readonly ActionProvider[] = [
  codestarSourceConnection,
  codeBuildBuild,
  codeBuildTest,
  ecs,
  manualApproval,
];

export function actionProvider(id: ActionTypeId): ActionProvider | undefined {
  return actionProviders.find(
    ({ type }) =>
      type.id.category === id.category &&
      type.id.owner === id.owner &&
      type.id.provider === id.provider &&
      type.id.version === id.version,
  );
}
