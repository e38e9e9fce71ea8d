/**
 * Every operation that is built gets requests with wrong types, strange values and what breaks parsers, over HTTP. Each must be
 * answered, in the service's protocol, as a success or a clear error of the client's; a failed one leaves nothing behind.
 * The same seed makes the same requests: FUZZ_SEED tries others, FUZZ_ROUNDS more.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { sign } from "#gateway/auth/sigv4.ts";
import type { OperationModel, Service } from "#gateway/service.ts";
import { anImage } from "#services/ecr/testing.ts";
import { services } from "#services/services.ts";
import { type Encoded, encoded } from "#tests/fuzz/encode.ts";
import { junk, Random, strange, withOneReplaced } from "#tests/fuzz/random.ts";
import { type Administrator, type Answer, type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { everythingOf, type Fixture } from "#tests/isolation/fixture/index.ts";
import { inputsOf } from "#tests/isolation/inputs.ts";
import { tablesOf } from "#tests/isolation/snapshot.ts";

await Promise.all(services.map((service) => service.load()));

const SEED = Number(process.env.FUZZ_SEED ?? 20_261_125);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 6);

let served: ServedSystem;
let administrator: Administrator;
let fixture: Fixture;
let tables: readonly string[];

before(async () => {
  served = await servedSystem();
  administrator = await served.administratorOf(ACCOUNT);
  fixture = await everythingOf(served.system, administrator.client, anImage(), "444455556666");
  tables = await tablesOf(served.system);
});
after(() => served?.[Symbol.asyncDispose]());

async function sent(service: Service, { method, path, query, headers, body }: Encoded): Promise<Answer> {
  const request = { method, path, rawQuery: query, headers: { host: `127.0.0.1:${served.port}`, ...headers } };
  const signed = sign(
    { ...request, body: Buffer.from(body) },
    administrator.credentials,
    { region: REGION, service: service.signingName },
    new Date(),
  );
  return served.send(method, query ? `${path}?${query}` : path, { headers: signed, body });
}

/** How many rows there are, by table. */
async function rowCounts(): Promise<string> {
  const counts = tables.map((table) => sql`(select count(*) from ${sql.table(table)})`);
  const { rows } = await sql`select ${sql.join(counts)}`.execute(served.system.db);
  return JSON.stringify(rows);
}

function problemOf(service: Service, { status, headers, body }: Answer): string | undefined {
  if (status < 400) return undefined;
  if (status >= 500 && status !== 501) return "is a fault of the server's";
  if (/InternalFailure|InternalError/.test(body)) return "says so";
  if (body === "") return undefined; // HEAD
  if (service.protocol.startsWith("awsJson")) {
    const answer = JSON.parse(body) as { __type?: string; message?: string };
    return answer.__type && headers["x-amzn-errortype"] ? undefined : "is no error of the JSON protocol's";
  }
  return /<Code>\w[\w.]*<\/Code>/.test(body) ? undefined : "is no error of the XML protocols'";
}

function* inputs(service: Service, model: OperationModel, random: Random): Generator<unknown> {
  const { variants } = inputsOf(service, model, fixture.samples);
  for (let round = 0; round < ROUNDS; round++) {
    yield withOneReplaced(random.pick(variants), random, () => junk(random));
    yield strange(service, model.input, random);
    const base = { ...random.pick(variants), ...(strange(service, model.input, random) as object) };
    yield { ...base, ...random.pick(variants) };
    yield withOneReplaced(base, random, () => junk(random));
  }
}

for (const service of services) {
  describe(`${service.name} answers whatever it is asked`, () => {
    for (const model of service.operations.values()) {
      if (!model.operation || model.input.isUnitSchema()) continue;
      it(model.name, async () => {
        const random = new Random(
          SEED + [...`${service.name}${model.name}`].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7),
        );
        const problems: string[] = [];
        let counts = await rowCounts();
        for (const input of inputs(service, model, random)) {
          const request = encoded(service, model, input);
          served.logged.length = 0;
          const answer = await sent(service, request).catch((error: Error) => ({
            status: 599,
            headers: {},
            body: String(error),
          }));
          const before = counts;
          counts = await rowCounts();
          const shown = `${request.path}?${request.query} ${JSON.stringify(request.headers)} ${request.body.slice(0, 600)}\n  => ${answer.status} ${answer.body.slice(0, 300)}\n  ${served.logged.join("\n  ").slice(0, 900)}`;
          const problem = problemOf(service, answer);
          if (problem) problems.push(`The answer ${problem}: ${shown}`);
          else if (served.logged.some((line) => line.startsWith("error")))
            problems.push(`The log has an error: ${shown}`);
          else if (answer.status >= 400 && counts !== before)
            problems.push(`Something was half made (${before} ${counts}): ${shown}`);
        }
        assert.equal(problems.length, 0, problems.join("\n\n"));
      });
    }
  });
}
