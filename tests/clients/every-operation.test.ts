/**
 * Every operation of IAM, STS and Organizations by AWS's own clients: their serializers, signatures and parsers, over HTTP.
 * The inputs are those of the isolation walk. Operations that can only be refused with them are listed with the error that
 * the client is to throw; any other has to answer. What deletes comes last, so that the rest finds something.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import * as organizations from "@aws-sdk/client-organizations";
import * as sts from "@aws-sdk/client-sts";
import { anImage } from "#services/ecr/testing.ts";
import { services } from "#services/services.ts";
import { type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { everythingOf, type Fixture } from "#tests/isolation/fixture/index.ts";
import { inputsOf } from "#tests/isolation/inputs.ts";
import refusals from "#tests/scenarios/sdk-refusals.json" with { type: "json" };

const REFUSALS: Readonly<Record<string, string>> = refusals;
/** Packages of AWS's, as far as they are used here. */
type Commands = Readonly<Record<string, new (input: unknown) => unknown>>;
interface AnyClient {
  send(command: unknown): Promise<{ $metadata: { httpStatusCode?: number } }>;
}

/** Reads, then what makes and changes, then what takes away; the organization itself last. */
const ORDER: readonly RegExp[] = [
  /^(Get|List|Describe|Simulate|Generate)/,
  /^(?!Delete|Remove|Detach|Leave|Disable|Deactivate|Close|Terminate|Cancel|Decline|Reject|Untag)/,
  /^(Detach|Untag|Remove(?!Account))/,
  /^(?!DeleteOrganization$|LeaveOrganization$|CloseAccount$|RemoveAccount)/,
  /./,
];

/** STS first and Organizations last: IAM deletes what sessions are of, and asks whether the organization trusts it. */
const CALLED = ["sts", "iam", "organizations"];

const placeOf = (name: string) => ORDER.findIndex((names) => names.test(name));

await Promise.all(services.map((service) => service.load()));

describe("AWS's own clients call every operation", () => {
  let served: ServedSystem;
  let fixture: Fixture;
  let clients: Readonly<Record<string, { readonly client: AnyClient; readonly commands: Commands }>>;
  before(async () => {
    served = await servedSystem();
    const { client, credentials } = await served.administratorOf(ACCOUNT);
    fixture = await everythingOf(served.system, client, anImage(), "444455556666");
    const configuration = { endpoint: served.url, region: REGION, credentials, maxAttempts: 1 };
    const known = (made: unknown, commands: object) => ({ client: made as AnyClient, commands: commands as Commands });
    clients = {
      iam: known(new iam.IAMClient(configuration), iam),
      sts: known(new sts.STSClient(configuration), sts),
      organizations: known(new organizations.OrganizationsClient(configuration), organizations),
    };
  });
  after(() => served[Symbol.asyncDispose]());

  for (const service of CALLED.map((called) => services.find(({ name }) => name === called)!)) {
    const built = [...service.operations.values()].filter(({ operation }) => operation);
    built.sort((a, b) => placeOf(a.name) - placeOf(b.name));
    for (const model of built) {
      const id = `${service.name}:${model.name}`;
      it(id, async () => {
        const { variants, missing } = inputsOf(service, model, fixture.samples);
        assert.deepEqual(missing, []);
        const { client, commands } = clients[service.name]!;
        const Command = commands[`${model.name}Command`]!;
        const outcome = client.send(new Command(variants[0]));
        if (id in REFUSALS) await assert.rejects(outcome, { name: REFUSALS[id] });
        else assert.equal((await outcome).$metadata.httpStatusCode, 200);
      });
    }
  }
});
