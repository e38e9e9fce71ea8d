/** Account settings. They are kept and shown; Slipway always uses the long ARN format. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html */
import type * as sdk from "@aws-sdk/client-ecs";
import { accountOf } from "#gateway/authorize.ts";
import type { Call } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { invalidParameter } from "../errors.ts";
import { page } from "../paging.ts";
import { deleteAccountSetting, listAccountSettings, putAccountSetting } from "../store/account-settings.ts";

/** What an account that has set nothing has. */
const DEFAULTS: Readonly<Record<string, string>> = {
  serviceLongArnFormat: "enabled",
  taskLongArnFormat: "enabled",
  containerInstanceLongArnFormat: "enabled",
  awsvpcTrunking: "disabled",
  containerInsights: "disabled",
  dualStackIPv6: "enabled",
  fargateFIPSMode: "disabled",
  tagResourceAuthorization: "on",
  fargateTaskRetirementWaitPeriod: "7",
  guardDutyActivate: "off",
  defaultLogDriverMode: "non-blocking",
};

/** A setting is of the caller's own account. AWS's words for another's are not known. */
function principalOf(call: Call, given: string | undefined): string {
  if (given !== undefined && accountOf(given) !== call.accountId) {
    throw invalidParameter(`The principal ${given} is not of account ${call.accountId}.`);
  }
  return given ?? call.principal.roleArn ?? call.principal.arn;
}
const rootOf = ({ accountId }: Call) => `arn:aws:iam::${accountId}:root`;

export const PutAccountSetting: OperationOf<sdk.PutAccountSettingCommand> = {
  authorize: { action: "ecs:PutAccountSetting", resources: () => ["*"], context: settingKeys },
  run: (input, call) => put(call, principalOf(call, input.principalArn), input.name!, input.value!),
};

export const PutAccountSettingDefault: OperationOf<sdk.PutAccountSettingDefaultCommand> = {
  authorize: { action: "ecs:PutAccountSettingDefault", resources: () => ["*"], context: settingKeys },
  run: (input, call) => put(call, rootOf(call), input.name!, input.value!),
};

async function put(call: Call, principalArn: string, name: string, value: string) {
  if (!Object.hasOwn(DEFAULTS, name)) throw invalidParameter("Invalid account setting name.");
  await putAccountSetting(call.db, call, { principalArn, name, value });
  return { setting: { name: name as sdk.SettingName, value, principalArn } };
}

export const DeleteAccountSetting: OperationOf<sdk.DeleteAccountSettingCommand> = {
  authorize: { action: "ecs:DeleteAccountSetting", resources: () => ["*"], context: settingKeys },
  async run(input, call) {
    const principalArn = principalOf(call, input.principalArn);
    await deleteAccountSetting(call.db, call, { principalArn, name: input.name! });
    return { setting: { name: input.name, value: DEFAULTS[input.name!], principalArn } };
  },
};

export const ListAccountSettings: OperationOf<sdk.ListAccountSettingsCommand> = {
  authorize: { action: "ecs:ListAccountSettings", resources: () => ["*"] },
  async run(input, call) {
    const principalArn = principalOf(call, input.principalArn);
    const all = await listAccountSettings(call.db, call);
    const own = new Map(all.filter((one) => one.principalArn === principalArn).map((one) => [one.name, one.value]));
    const shared = new Map(all.filter((one) => one.principalArn === rootOf(call)).map((one) => [one.name, one.value]));
    const names = input.effectiveSettings ? Object.keys(DEFAULTS) : [...own.keys()];
    const settings = names
      .map((name) => ({
        name: name as sdk.SettingName,
        value: own.get(name) ?? shared.get(name) ?? DEFAULTS[name],
        principalArn,
      }))
      .filter(({ name, value }) => (!input.name || name === input.name) && (!input.value || value === input.value));
    const { items, nextToken } = page("account-settings", settings, ({ name }) => name, input);
    return { settings: [...items], nextToken };
  },
};

function settingKeys({ name }: { readonly name: string | undefined }): ContextKeys {
  return { "ecs:account-setting": name };
}
