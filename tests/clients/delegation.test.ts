/** Temporary delegation and role templates with the JS SDK over real HTTP: what an aws CLI of this year's first half lacks. */
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { until } from "#demo/until.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

const REGION = "us-east-1";
const PARTNER = "200000000001";
const CUSTOMER = "200000000002";
const TEMPLATE = "arn:aws:iam:::delegation-template/roles";
const ROLE_TEMPLATE = "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1";

describe("with the JS SDK", () => {
  let slipway: SlipwayProcess;
  before(async () => {
    slipway = await SlipwayProcess.start({ arguments: ["--accept-any-credentials"] });
    const Statement = { Effect: "Allow", Action: "iam:GetRole", Resource: "arn:aws:iam::*:role/@{roleNames}" };
    const templates = { [TEMPLATE]: { Version: "2012-10-17", Statement } };
    const partners = [{ name: "Example Corp", accounts: [PARTNER], templates }];
    await writeFile(join(slipway.dataDir, "delegation-partners.json"), JSON.stringify(partners));
  });
  after(() => slipway[Symbol.asyncDispose]());

  const configuration = (accessKeyId: string, secretAccessKey = "any", sessionToken?: string) => ({
    endpoint: slipway.running.url,
    region: REGION,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
  });

  it("an account has properties, and roles from the template", async () => {
    const client = new iam.IAMClient(configuration(CUSTOMER));
    await client.send(new iam.PutAccountPropertiesCommand({ Properties: { "RoleManager/Enabled": "true" } }));
    const { Properties } = await client.send(new iam.GetAccountPropertiesCommand({}));
    assert.deepEqual(Properties, { "RoleManager/Enabled": "true" });
    const wrong = new iam.PutAccountPropertiesCommand({ Properties: { "RoleManager/Enabled": "yes" } });
    await assert.rejects(client.send(wrong), iam.InvalidInputException);

    const { RoleTemplateVersion } = await client.send(
      new iam.GetRoleTemplateVersionCommand({ TemplateArn: ROLE_TEMPLATE }),
    );
    assert.equal(RoleTemplateVersion!.ParametersDefinition![1]!.DefaultValue, "PowerUserRole");
    assert.deepEqual(RoleTemplateVersion!.CreateTimestamp, new Date("2026-06-12T02:57:08Z"));
    const values = (service: string) => ({
      TemplateArn: ROLE_TEMPLATE,
      ReplacementValues: { AWSServiceName: { Values: [service] }, RoleName: { Values: ["build"] } },
    });
    const acquired = await client.send(new iam.AcquireRoleCommand(values("codebuild.amazonaws.com")));
    assert.equal(acquired.Role!.Arn, `arn:aws:iam::${CUSTOMER}:role/build`);
    const { Role } = await client.send(new iam.GetRoleCommand({ RoleName: "build" }));
    assert.deepEqual(Role!.SourceRoleTemplate, { TemplateArn: ROLE_TEMPLATE, TemplateMinorVersion: 0 });
    const conflict = new iam.AcquireRoleCommand(values("ecs-tasks.amazonaws.com"));
    await assert.rejects(client.send(conflict), iam.NameConflictException);
    await client.send(new iam.TagRoleCommand({ RoleName: "build", Tags: [{ Key: "team", Value: "red" }] }));
    const again = new iam.AcquireRoleCommand(values("codebuild.amazonaws.com"));
    await assert.rejects(client.send(again), iam.RoleModifiedException);
  });

  it("a partner gets what an account approves, and the account's trail says who it was", async () => {
    const partner = new iam.IAMClient(configuration(PARTNER));
    const customer = new iam.IAMClient(configuration(CUSTOMER));
    const { DelegationRequestId } = await partner.send(
      new iam.CreateDelegationRequestCommand({
        Description: "Looks at roles",
        Permissions: {
          PolicyTemplateArn: TEMPLATE,
          Parameters: [{ Name: "roleNames", Values: ["build", "deploy"], Type: "stringList" }],
        },
        RequestorWorkflowId: "workflow-1",
        RedirectUrl: "https://example.com/back",
        NotificationChannel: `arn:aws:sns:${REGION}:${PARTNER}:partner`,
        SessionDuration: 900,
        OnlySendByOwner: true,
      }),
    );
    const about = { DelegationRequestId };
    await customer.send(new iam.AssociateDelegationRequestCommand(about));
    await customer.send(new iam.UpdateDelegationRequestCommand({ ...about, Notes: "Please" }));
    await customer.send(new iam.AcceptDelegationRequestCommand(about));
    await customer.send(new iam.SendDelegationTokenCommand(about));
    const { DelegationRequest } = await customer.send(new iam.GetDelegationRequestCommand(about));
    assert.equal(DelegationRequest!.State, "FINALIZED");
    assert.equal(DelegationRequest!.RedirectUrl, "https://example.com/back");
    assert.equal(DelegationRequest!.OnlySendByOwner, true);
    assert.ok(DelegationRequest!.ExpirationTime! > DelegationRequest!.UpdatedTime!);
    const list = await customer.send(new iam.ListDelegationRequestsCommand({ MaxItems: 1 }));
    assert.deepEqual([list.DelegationRequests, list.isTruncated], [[DelegationRequest], false]);
    const EntityArn = `arn:aws:iam::${CUSTOMER}:delegation-request/${DelegationRequestId}`;
    const summary = await customer.send(new iam.GetHumanReadableSummaryCommand({ EntityArn }));
    assert.match(summary.SummaryContent!, /allows iam:GetRole on .*role\/build, .*role\/deploy\./);
    await assert.rejects(customer.send(new iam.RejectDelegationRequestCommand(about)), iam.InvalidInputException);

    const { events } = await new logs.CloudWatchLogsClient(configuration(PARTNER)).send(
      new logs.GetLogEventsCommand({
        logGroupName: `sns/${REGION}/${PARTNER}/partner`,
        logStreamName: DelegationRequestId!,
      }),
    );
    const { ExchangeToken } = JSON.parse(events!.at(-1)!.message!) as { ExchangeToken: string };
    const exchange = new sts.GetDelegatedAccessTokenCommand({ TradeInToken: ExchangeToken });
    const { Credentials, AssumedPrincipal } = await new sts.STSClient(configuration(PARTNER)).send(exchange);
    assert.equal(AssumedPrincipal, `arn:aws:iam::${CUSTOMER}:root`);
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials!;
    const delegated = new iam.IAMClient(configuration(AccessKeyId!, SecretAccessKey!, SessionToken!));
    await delegated.send(new iam.GetRoleCommand({ RoleName: "build" }));
    await assert.rejects(delegated.send(new iam.ListRolesCommand({})), { name: "AccessDenied" });

    // What is only read is not in the trail, what is refused is.
    const strangers = new sts.STSClient(configuration(CUSTOMER));
    await assert.rejects(strangers.send(exchange), { name: "ValidationError", message: "Invalid trade-in token" });
    const [denied, refused] = await until(async () => {
      const trail = await trailOf(slipway.dataDir);
      const found = ["ListRoles", "GetDelegatedAccessToken"].map((name) =>
        trail.find(({ eventName }) => eventName === name),
      );
      return found.includes(undefined) ? undefined : found;
    });
    assert.equal(denied!.userIdentity.accountId, CUSTOMER);
    assert.deepEqual(denied!.userIdentity.invokedByDelegate, { accountId: PARTNER });
    assert.deepEqual(refused!.requestParameters, { TradeInToken: "HIDDEN_DUE_TO_SECURITY_REASONS" });
  });
});

interface Event {
  readonly eventName: string;
  readonly userIdentity: { readonly accountId: string; readonly invokedByDelegate?: { readonly accountId: string } };
  readonly requestParameters: unknown;
}

async function trailOf(dataDir: string): Promise<Event[]> {
  const folder = join(dataDir, "audit");
  const files = await readdir(folder).catch(() => []);
  const texts = await Promise.all(files.sort().map((file) => readFile(join(folder, file), "utf8")));
  const lines = texts.join("").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Event);
}
