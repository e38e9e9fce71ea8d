/** A partner and its customer for tests of temporary delegation. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as sdk from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { rootPrincipal } from "#gateway/context.ts";
import { logs } from "#services/logs/index.ts";
import { sts } from "#services/sts/index.ts";
import { REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../identities.ts";
import { iam } from "../index.ts";
import type { Partner } from "./partners.ts";

export const PARTNER = "444455556666";
export const TEMPLATE = "arn:aws:iam:::delegation-template/read-reports";
export const TOPIC = `arn:aws:sns:us-west-2:${PARTNER}:partner-notifications`;

/** Asks for the users of a path, and with EXTRAS for a list of everything. */
export const EXAMPLE: Partner = {
  name: "Example Corp",
  accounts: [PARTNER],
  templates: {
    [TEMPLATE]: {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["iam:GetUser"], Resource: "arn:aws:iam::*:user/@{reportPath}/*" },
        { "@Enabled": "EXTRAS", Effect: "Allow", Action: "iam:ListUsers", Resource: "*" },
      ],
    },
  },
};

/** The account of the test is the customer's. */
export async function delegationSystem(partners: unknown = [EXAMPLE]): Promise<TestSystem> {
  const system = await testSystem({
    services: [iam, sts, logs],
    identities: (wired) => new IamIdentities(wired),
    work: false,
  });
  const content = typeof partners === "string" ? partners : JSON.stringify(partners);
  await writeFile(join(system.config.dataDir, "delegation-partners.json"), content);
  return system;
}

export function rootOf(system: TestSystem, accountId: string): Client {
  return system.client(rootPrincipal(accountId, `AKIA${accountId}`), { accountId, region: REGION });
}

let workflows = 0;

export function request(more: Partial<sdk.CreateDelegationRequestRequest> = {}): sdk.CreateDelegationRequestCommand {
  return new sdk.CreateDelegationRequestCommand({
    Description: "Reads reports",
    Permissions: {
      PolicyTemplateArn: TEMPLATE,
      Parameters: [{ Name: "reportPath", Values: ["reports"], Type: "string" }],
    },
    RequestorWorkflowId: `workflow-${++workflows}`,
    NotificationChannel: TOPIC,
    SessionDuration: 3600,
    ...more,
  });
}

export async function aRequest(
  system: TestSystem,
  more: Partial<sdk.CreateDelegationRequestRequest> = {},
): Promise<string> {
  return (await rootOf(system, PARTNER).send(request(more))).DelegationRequestId!;
}

/** What the partner was told, the oldest first. */
export async function notifications(system: TestSystem, id: string): Promise<Record<string, string>[]> {
  const client = system.client(rootPrincipal(PARTNER), { accountId: PARTNER, region: "us-west-2" });
  const logGroupName = `sns/us-west-2/${PARTNER}/partner-notifications`;
  const { events } = await client.send(
    new GetLogEventsCommand({ logGroupName, logStreamName: id, startFromHead: true }),
  );
  return events!.map(({ message }) => JSON.parse(message!) as Record<string, string>);
}

/** Accepted by `approver` and sent; answers the token that the partner was told. */
export async function sentToken(system: TestSystem, id: string, approver: Client): Promise<string> {
  const about = { DelegationRequestId: id };
  await approver.send(new sdk.AssociateDelegationRequestCommand(about));
  await approver.send(new sdk.AcceptDelegationRequestCommand(about));
  await approver.send(new sdk.SendDelegationTokenCommand(about));
  return (await notifications(system, id)).at(-1)!.ExchangeToken!;
}
