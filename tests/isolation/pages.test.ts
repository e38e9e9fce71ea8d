/**
 * Every list of a service that seals its tokens, from the registry: pages of one give the whole list, and a token that the
 * operation did not make for the account is refused in the service's documented words, whatever it is.
 *
 * A list that is new is walked by itself. Where the fixture has fewer than two items for it, `more` makes some.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Cipher } from "#gateway/cipher.ts";
import type { Client } from "#gateway/client.ts";
import type { OperationModel, Service } from "#gateway/service.ts";
import { anImage } from "#services/ecr/testing.ts";
import { services } from "#services/services.ts";
import { type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { sharedIssuer } from "#tests/isolation/fixture/federation.ts";
import { everythingOf, type Fixture } from "#tests/isolation/fixture/index.ts";
import { inputsOf } from "#tests/isolation/inputs.ts";
import { earlier, more } from "#tests/isolation/more.ts";

await Promise.all(services.map((service) => service.load()));

const NEIGHBOUR = "444455556666";

/** https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html and the errors of Organizations' operations */
const REFUSALS: Readonly<Record<string, object>> = {
  iam: { name: "ValidationError", status: 400, message: /^Invalid Marker: / },
  organizations: { name: "InvalidInputException", Reason: "INVALID_NEXT_TOKEN" },
};

/** Of these there are no two: some never have more than one item, for others the operation's own tests make a second. */
const SINGLE: ReadonlySet<string> = new Set([
  "ListAccountAliases",
  "ListParents",
  "ListRoots",
  "ListAccountsWithInvalidEffectivePolicy",
  "ListEffectivePolicyValidationErrors",
  "ListInboundResponsibilityTransfers",
  "ListOutboundResponsibilityTransfers",
]);
/** Whose tokens the other lists are given: two of each service. */
const DONORS: ReadonlySet<string> = new Set(["ListRoles", "ListUsers", "ListAccounts", "ListChildren"]);
/** Longer lists are not walked item by item. */
const MAX_PAGES = 15;

type Members = Readonly<Record<string, unknown>>;

let served: ServedSystem;
let own: { readonly client: Client; readonly things: Fixture };
let neighbours: { readonly client: Client; readonly things: Fixture };

before(async () => {
  served = await servedSystem();
  const { system } = served;
  const issuer = await sharedIssuer(system);
  const of = async (accountId: string, other: string) => {
    await earlier(system, accountId);
    const { client } = await served.administratorOf(accountId);
    const things = await everythingOf(system, client, anImage(), other, issuer);
    await more(system, client, things);
    return { client, things };
  };
  own = await of(ACCOUNT, NEIGHBOUR);
  neighbours = await of(NEIGHBOUR, ACCOUNT);
});
after(() => served?.[Symbol.asyncDispose]());

/** As the SDK's command would be. */
async function sent(client: Client, service: Service, { name }: OperationModel, input: Members): Promise<Members> {
  const command = { input, schema: [9, service.namespace, name] };
  return (await client.send(command as unknown as Parameters<Client["send"]>[0])) as Members;
}

/** Calls of the operation that answer, on what the fixture has. */
async function callsOf({ client, things }: typeof own, service: Service, model: OperationModel): Promise<Members[]> {
  const { variants } = inputsOf(service, model, things.samples);
  const answers = await Promise.allSettled(variants.map((input) => sent(client, service, model, input)));
  return variants.filter((_, index) => answers[index]!.status === "fulfilled");
}

/** All of a list in pages of that size, with the number of pages. */
async function walked(service: Service, model: OperationModel, input: Members): Promise<[Members, number]> {
  const { member } = service.pageTokens!;
  const collected: Record<string, unknown[]> = {};
  let token: unknown;
  for (let pages = 1; ; pages++) {
    const page = await sent(own.client, service, model, { ...input, ...(token !== undefined && { [member]: token }) });
    for (const [name, items] of Object.entries(listsOf(page))) {
      collected[name] = [...(collected[name] ?? []), ...items];
    }
    token = page[member];
    if (token === undefined) return [collected, pages];
  }
}

function listsOf(output: Members): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(output).filter(([, value]) => Array.isArray(value))) as never;
}

function lengthOf(output: Members): number {
  return Object.values(listsOf(output)).reduce((sum, list) => sum + list.length, 0);
}

for (const service of services.filter(({ pageTokens }) => pageTokens)) {
  const { member } = service.pageTokens!;
  const takes = (model: OperationModel, name: string) =>
    !model.input.isUnitSchema() && Array.from(model.input.structIterator(), ([known]) => known).includes(name);
  const lists = [...service.operations.values()].filter((model) => model.operation && takes(model, member));
  const limit = member === "Marker" ? "MaxItems" : "MaxResults";

  describe(`the pages of ${service.name}'s lists`, () => {
    for (const model of lists) {
      const firstPage = async (of: typeof own, list = model) => {
        for (const input of await callsOf(of, service, list)) {
          const page = await sent(of.client, service, list, { ...input, [limit]: 1 });
          if (page[member] !== undefined) return { input, token: page[member] as string };
        }
        return undefined;
      };

      if (takes(model, limit)) {
        it(`${model.name} one by one is the whole list`, async () => {
          let most = 0;
          for (const input of await callsOf(own, service, model)) {
            const [whole] = await walked(service, model, input);
            const size = Math.ceil(lengthOf(whole) / MAX_PAGES) || 1;
            const [collected, pages] = await walked(service, model, { ...input, [limit]: size });
            assert.deepEqual(collected, whole, JSON.stringify(input));
            assert.equal(pages, Math.max(1, Math.ceil(lengthOf(whole) / size)), JSON.stringify(input));
            most = Math.max(most, pages);
          }
          if (!SINGLE.has(model.name)) assert.ok(most > 1, "no call had two items: let `more` make them");
        });
      }

      it(`${model.name} refuses tokens that it did not make for the account`, async () => {
        const [input] = await callsOf(own, service, model);
        assert.ok(input, "no call of the fixture's answers");
        const { token } = (await firstPage(own)) ?? {};
        const foreign = await firstPage(neighbours);
        const others = await firstPage(own, lists.find(({ name }) => DONORS.has(name) && name !== model.name)!);
        const purpose = `page:${service.name}:${model.name}:${ACCOUNT}`;
        const forged = [
          "x",
          "0",
          "null",
          Buffer.from("1fixture").toString("base64url"),
          Buffer.from('["fixture",0]').toString("base64url"),
          '["fixture",0]',
          randomBytes(64).toString("base64url"),
          new Cipher(randomBytes(32)).seal(purpose, '["fixture",0]'),
          served.system.cipher.seal("session", '["fixture",0]'),
          others!.token,
          foreign?.token,
          ...(token === undefined
            ? []
            : [token.slice(0, -1), `${token}A`, `${token.startsWith("A") ? "B" : "A"}${token.slice(1)}`, ` ${token}`]),
        ].filter((text) => text !== undefined);
        for (const text of forged) {
          await assert.rejects(
            sent(own.client, service, model, { ...input, [member]: text }),
            REFUSALS[service.name]!,
            String(text),
          );
        }
        if (token !== undefined) await sent(own.client, service, model, { ...input, [member]: token });
      });
    }
  });
}

it("is walked whatever list of IAM, STS and Organizations is built", () => {
  const unsealed = services
    .filter(({ name }) => ["iam", "sts", "organizations"].includes(name))
    .flatMap((service) =>
      [...service.operations.values()]
        .filter(({ operation, input }) => operation && !input.isUnitSchema())
        .flatMap(({ name, input }) => Array.from(input.structIterator(), ([member]) => [name, member] as const))
        .filter(([, member]) => /^((next|continuation)token|marker)$/i.test(member))
        .filter(([, member]) => member !== service.pageTokens?.member)
        .map(([name]) => `${service.name}:${name}`),
    );
  assert.deepEqual(unsealed, []);
});
