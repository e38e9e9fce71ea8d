/** AWS's example policies (`cases/`), attached to an OU, and what they let and forbid in an account below it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-organizations";
import { accountOf, requireAccess } from "#gateway/authorize.ts";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import { type Call, type Principal, rootPrincipal, servicePrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { anAccount, anOrganization, aPolicy, attach, aUnit, document, organizationsSystem } from "./testing.ts";

interface Example {
  readonly name: string;
  /** Where AWS says so. */
  readonly source: string;
  readonly policy: object;
  /** FullAWSAccess is detached from the OU. */
  readonly instead?: true;
  /** `${account}` is the account below the OU, `${organization}` the organization, "management" its management account. */
  readonly calls: readonly ExampleCall[];
}

interface ExampleCall {
  /** "root", "service-linked", a role's name, an account or a service; without it some role's session. */
  readonly as?: string;
  readonly action: string;
  readonly resource?: string;
  readonly resourceAccount?: string;
  readonly region?: string;
  readonly sourceArn?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly expect: "allowed" | "denied";
}

function examples(file: string): readonly Example[] {
  const text = readFileSync(new URL(`cases/${file}`, import.meta.url), "utf8");
  return (JSON.parse(text) as { examples: Example[] }).examples;
}

const EVERYTHING = { Effect: "Allow", Action: "*", Resource: "*" };
const ALLOWED = compilePolicy(parsePolicy(document(EVERYTHING), "identity"));
/** Every resource is everybody's as far as its own policy says. */
const OPEN = compilePolicy(parsePolicy(document({ ...EVERYTHING, Principal: "*" }), "resource"));

/** Nobody is held up by IAM, so that what denies is the example. */
function unrestrictedSystem() {
  const identities = {
    authenticate: async () => "unknown" as const,
    policiesOf: async () => ({ identity: [ALLOWED] }),
  };
  return organizationsSystem({ identities: () => identities });
}

function principalOf({ as = "role", tags }: ExampleCall, account: string): Principal {
  if (as === "root") return rootPrincipal(account, "AKIAROOT");
  if (as.endsWith(".amazonaws.com")) return servicePrincipal(as, account);
  if (as === "management" || /^\d{12}$/.test(as)) {
    const accountId = as === "management" ? ACCOUNT : as;
    return {
      type: "User",
      arn: `arn:aws:iam::${accountId}:user/eve`,
      accountId,
      userId: "AIDAEVE",
      accessKeyId: "AKIAEVE",
    };
  }
  const path = as === "service-linked" ? "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS" : as;
  return {
    type: "AssumedRole",
    arn: `arn:aws:sts::${account}:assumed-role/${path.slice(path.lastIndexOf("/") + 1)}/session`,
    roleArn: `arn:aws:iam::${account}:role/${path}`,
    accountId: account,
    userId: "AROAROLE:session",
    accessKeyId: "ASIAROLE",
    ...(tags && { tags }),
  };
}

for (const [file, Type, kind] of [
  ["scp-examples.json", "SERVICE_CONTROL_POLICY", "service control policy"],
  ["rcp-examples.json", "RESOURCE_CONTROL_POLICY", "resource control policy"],
] as const) {
  describe(file, () => {
    for (const example of examples(file)) {
      it(example.name, async () => {
        await using system = await unrestrictedSystem();
        const { id, rootId } = await anOrganization(system);
        if (Type === "RESOURCE_CONTROL_POLICY") {
          await system.root.send(new sdk.EnablePolicyTypeCommand({ RootId: rootId, PolicyType: Type }));
        }
        const unit = await aUnit(system, rootId, "Workloads");
        const account = await anAccount(system, "dev", await aUnit(system, unit, "Dev"));
        const filled = (text: string) => text.replaceAll("${account}", account).replaceAll("${organization}", id);
        await attach(system, await aPolicy(system, "example", filled(JSON.stringify(example.policy)), Type), unit);
        if (example.instead) {
          await system.root.send(new sdk.DetachPolicyCommand({ PolicyId: "p-FullAWSAccess", TargetId: unit }));
        }
        for (const written of example.calls) {
          const { action, resource = "*", context = {} } = written;
          const principal = principalOf(written, account);
          const call: Call = {
            system,
            db: system.db,
            principal,
            accountId: principal.accountId,
            region: written.region ?? REGION,
            requestId: "test",
            now: new Date(),
            sourceIp: "203.0.113.1",
            secureTransport: true,
            userAgent: "test",
            ...(written.sourceArn && { sourceArn: filled(written.sourceArn) }),
          };
          const request = {
            action,
            resource: filled(resource),
            context,
            resourceAccountId:
              written.resourceAccount === "management"
                ? ACCOUNT
                : (written.resourceAccount ?? (accountOf(filled(resource)) || account)),
            resourcePolicy: OPEN,
          };
          const asked = requireAccess(call, request);
          const what = JSON.stringify(written);
          if (written.expect === "allowed") await assert.doesNotReject(asked, what);
          else await assert.rejects(asked, { name: "AccessDenied", message: new RegExp(kind) }, what);
        }
      });
    }
  });
}
