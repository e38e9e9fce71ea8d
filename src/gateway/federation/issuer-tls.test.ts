import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ResolvedAddress } from "../egress-guard.ts";
import { ForbiddenAddressError, fetchJson, topThumbprint, UnreachableError } from "./issuer-tls.ts";
import { newAuthority, testIssuer, thumbprintOf } from "./testing.ts";

const TIMEOUT = { timeoutMs: 5_000 };
const HERE: ResolvedAddress = { address: "127.0.0.1", family: 4 };
const METADATA: ResolvedAddress = { address: "169.254.169.254", family: 4 };

/** Answers in turn, the last one again and again. */
function resolver(...answers: (readonly ResolvedAddress[])[]) {
  const asked: string[] = [];
  const resolve = async (hostname: string) => {
    asked.push(hostname);
    return answers[Math.min(asked.length, answers.length) - 1]!;
  };
  return { asked, resolve };
}

describe("an issuer's host", () => {
  test("is resolved once, and what was checked is what is connected to", async () => {
    await using issuer = await testIssuer({ keys: [] });
    const { asked, resolve } = resolver([HERE], [METADATA]);
    const url = new URL(issuer.url.replace("localhost", "issuer.invalid"));
    assert.equal(await topThumbprint(url, { ...TIMEOUT, resolve }), thumbprintOf(issuer.caPem));
    assert.deepEqual(asked, ["issuer.invalid"]);
  });

  test("is resolved once for all that a certificate of an unknown authority takes", async () => {
    await using issuer = await testIssuer({ keys: [] });
    const { asked, resolve } = resolver([HERE], [METADATA]);
    const trust = { caBundle: (await newAuthority()).certificatePem, thumbprints: [thumbprintOf(issuer.caPem)] };
    const url = new URL(`${issuer.url}/keys`);
    assert.deepEqual(await fetchJson(url, trust, { ...TIMEOUT, maxBytes: 1000, resolve }), { keys: [] });
    assert.deepEqual(asked, ["localhost"]);
  });

  test("must not have a link-local address, not even beside another", async () => {
    await using issuer = await testIssuer({ keys: [] });
    const url = new URL(`${issuer.url}/keys`);
    const trust = { caBundle: issuer.caPem, thumbprints: [] };
    for (const addresses of [[METADATA], [HERE, METADATA], [{ address: "fe80::1", family: 6 } as const, HERE]]) {
      const { resolve } = resolver(addresses);
      await assert.rejects(topThumbprint(url, { ...TIMEOUT, resolve }), ForbiddenAddressError);
      await assert.rejects(fetchJson(url, trust, { ...TIMEOUT, maxBytes: 1000, resolve }), ForbiddenAddressError);
    }
    assert.deepEqual(issuer.asked, []);
  });

  for (const host of [
    "169.254.169.254",
    "2852039166", // 169.254.169.254 in one number
    "169.254.170.2",
    "0.0.0.0",
    "224.0.0.1",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
  ]) {
    test(`is not ${host}`, async () => {
      await assert.rejects(topThumbprint(new URL(`https://${host}/`), TIMEOUT), ForbiddenAddressError);
    });
  }

  test("that does not resolve in time is one that cannot be reached", async () => {
    const never = () => new Promise<never>(() => {});
    const url = new URL("https://issuer.invalid");
    await assert.rejects(topThumbprint(url, { timeoutMs: 20, resolve: never }), UnreachableError);
  });
});
