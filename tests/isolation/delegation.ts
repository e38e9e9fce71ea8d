/** Delegation requests in each of their states, which the account makes as its own partner. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import type { Samples } from "./fixture.ts";

/** Samples of what was made; `secrets` gets what nobody else may be told. */
export async function delegationOf(
  system: TestSystem,
  client: Client,
  { name, mark }: { readonly name: string; readonly mark: string },
  secrets: string[],
): Promise<Samples> {
  const { accountId } = client.scope;
  const PolicyTemplateArn = `arn:aws:iam:::delegation-template/${name}`;
  const NotificationChannel = `arn:aws:sns:${REGION}:${accountId}:${name}`;
  await register(system, accountId, PolicyTemplateArn, mark);
  const shape = { Description: mark, Permissions: { PolicyTemplateArn }, NotificationChannel, SessionDuration: 3600 };
  let count = 0;
  const made = async () => {
    const RequestorWorkflowId = `${mark}-${++count}`;
    const command = new iam.CreateDelegationRequestCommand({
      ...shape,
      OwnerAccountId: accountId,
      RequestorWorkflowId,
    });
    const { DelegationRequestId } = await client.send(command);
    secrets.push(DelegationRequestId!);
    return DelegationRequestId!;
  };
  const associated = async () => {
    const DelegationRequestId = await made();
    await client.send(new iam.AssociateDelegationRequestCommand({ DelegationRequestId }));
    return DelegationRequestId;
  };
  const accepted = async () => {
    const DelegationRequestId = await associated();
    await client.send(new iam.AcceptDelegationRequestCommand({ DelegationRequestId }));
    return DelegationRequestId;
  };
  const assigned = await associated();
  const finalized = await accepted();
  await client.send(new iam.SendDelegationTokenCommand({ DelegationRequestId: finalized }));
  const log = { logGroupName: `sns/${REGION}/${accountId}/${name}`, logStreamName: finalized };
  const { events } = await client.send(new GetLogEventsCommand(log));
  const { ExchangeToken } = JSON.parse(events!.at(-1)!.message!) as { ExchangeToken: string };
  secrets.push(ExchangeToken);
  return {
    DelegationRequestId: [assigned],
    "iam.AssociateDelegationRequest.DelegationRequestId": [await made()],
    "iam.SendDelegationToken.DelegationRequestId": [await accepted()],
    EntityArn: [`arn:aws:iam::${accountId}:delegation-request/${assigned}`],
    OwnerId: [client.principal.arn],
    OwnerAccountId: [accountId],
    Permissions: [{ PolicyTemplateArn }],
    RequestorWorkflowId: [`${name}-new`],
    NotificationChannel: [NotificationChannel],
    SessionDuration: [3600],
    TradeInToken: [ExchangeToken],
    TemplateArn: ["arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1"],
    ReplacementValues: [{ AWSServiceName: { Values: ["codebuild.amazonaws.com"] }, RoleName: { Values: [name] } }],
    Properties: [{ "RoleManager/Enabled": "true" }],
  };
}

/** As whoever runs Slipway does. */
async function register({ config }: TestSystem, account: string, template: string, mark: string): Promise<void> {
  const file = join(config.dataDir, "delegation-partners.json");
  const registered = JSON.parse(await readFile(file, "utf8").catch(() => "[]")) as object[];
  const Statement = { Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${mark}/*` };
  const templates = { [template]: { Version: "2012-10-17", Statement } };
  await writeFile(file, JSON.stringify([...registered, { name: mark, accounts: [account], templates }]));
}
