import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, type JSONWebKeySet } from "jose";
import { ThumbprintError, UnreachableError } from "#gateway/federation/issuer-tls.ts";
import { newAuthority, testIssuer, thumbprintOf } from "#gateway/federation/testing.ts";
import { fetchKeys, IssuerKeys } from "./issuer-keys.ts";

const { publicKey } = await generateKeyPair("ES256");
const KEYS = { keys: [{ ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" }] };
const NOW = new Date("2026-01-01T00:00:00Z");

describe("an issuer's keys", () => {
  test("are where its discovery document says, under a certificate of a trusted authority", async () => {
    await using issuer = await testIssuer(KEYS);
    assert.deepEqual(await fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem), KEYS);
    assert.deepEqual(issuer.asked, ["/.well-known/openid-configuration", "/keys"]);
  });

  test("come from an authority that nobody knows only where a thumbprint of its chain is listed", async () => {
    await using issuer = await testIssuer(KEYS);
    const stranger = await newAuthority();
    const fetched = (thumbprints: string[]) => fetchKeys({ url: issuer.url, thumbprints }, stranger.certificatePem);
    await assert.rejects(fetched([]), ThumbprintError);
    await assert.rejects(fetched([thumbprintOf(stranger.certificatePem)]), ThumbprintError);
    assert.deepEqual(await fetched([thumbprintOf(issuer.caPem)]), KEYS);
  });

  test("do not come from a server that merely shows the listed certificate beside its own", async () => {
    const listed = await newAuthority();
    const own = await newAuthority();
    // Its own certificate is signed by its own authority; the listed one only stands beside it.
    const shown = { privateKeyPem: own.privateKeyPem, certificatePem: own.certificatePem };
    await using issuer = await testIssuer(KEYS, shown, listed.certificatePem);
    const thumbprints = [thumbprintOf(listed.certificatePem)];
    const trusted = await newAuthority();
    await assert.rejects(fetchKeys({ url: issuer.url, thumbprints }, trusted.certificatePem));
  });

  test("do not come by way of a redirect", async () => {
    await using issuer = await testIssuer(KEYS);
    issuer.answers.set("/moved", KEYS);
    issuer.answers.set("/keys", (response) => response.writeHead(302, { location: `${issuer.url}/moved` }).end());
    await assert.rejects(fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem), /answered with 302/);
    assert.ok(!issuer.asked.includes("/moved"));
  });

  test("do not come from an answer without end, or one that never comes", async () => {
    await using issuer = await testIssuer(KEYS);
    const fetched = (timeoutMs?: number) => fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem, timeoutMs);
    issuer.answers.set("/keys", (response) => {
      const more = () => {
        while (response.writable && response.write(" ".repeat(64 * 1024)));
      };
      response.on("drain", more);
      more();
    });
    await assert.rejects(fetched(), /more than 1048576 bytes/);
    issuer.answers.set("/keys", () => {});
    await assert.rejects(fetched(200), UnreachableError);
  });

  test("are not what a broken or foreign discovery document leads to", async () => {
    await using issuer = await testIssuer(KEYS);
    const fetched = () => fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem);
    const discovery = (document: object) => issuer.answers.set("/.well-known/openid-configuration", document);
    discovery({ issuer: "https://else.example.com", jwks_uri: `${issuer.url}/keys` });
    await assert.rejects(fetched(), /is of another issuer/);
    discovery({ issuer: issuer.url, jwks_uri: "not a URL" });
    await assert.rejects(fetched(), /names no keys/);
    discovery({ issuer: issuer.url, jwks_uri: issuer.url.replace("https:", "http:") });
    await assert.rejects(fetched(), /is not https/);
    discovery((response: import("node:http").ServerResponse) => void response.end("<html>"));
    await assert.rejects(fetched(), SyntaxError);
    discovery({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` });
    issuer.answers.set("/keys", { keys: [null] });
    await assert.rejects(fetched(), /is no set of keys/);
  });

  test("may be on another host, but not on one that this machine alone can reach", async () => {
    await using issuer = await testIssuer(KEYS);
    await using inner = await testIssuer(KEYS);
    const jwks_uri = inner.url.replace("localhost", "127.0.0.1");
    issuer.answers.set("/.well-known/openid-configuration", { issuer: issuer.url, jwks_uri });
    await assert.rejects(fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem), /leads to 127\.0\.0\.1/);
    assert.deepEqual(inner.asked, []);
  });

  test("cannot be had from where nobody listens", async () => {
    const issuer = await testIssuer(KEYS);
    await issuer[Symbol.asyncDispose]();
    await assert.rejects(fetchKeys({ url: issuer.url, thumbprints: [] }, issuer.caPem), UnreachableError);
  });
});

describe("known keys", () => {
  const ISSUER = { url: "https://issuer.example.com", thumbprints: [] };
  const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

  function counting(...answers: (JSONWebKeySet | Error)[]) {
    let fetches = 0;
    const keys = new IssuerKeys(async () => {
      const answer = answers[Math.min(fetches++, answers.length - 1)]!;
      if (answer instanceof Error) throw answer;
      return answer;
    });
    return { keys, fetches: () => fetches };
  }

  test("are used for ten minutes, by any number of calls at once", async () => {
    const { keys, fetches } = counting(KEYS);
    await Promise.all([keys.finder(ISSUER, "one", NOW), keys.finder(ISSUER, "one", NOW)]);
    await keys.finder(ISSUER, "one", later(599));
    assert.equal(fetches(), 1);
    await keys.finder(ISSUER, "one", later(600));
    assert.equal(fetches(), 2);
  });

  test("are fetched anew for a key that is not among them, though not for every such token", async () => {
    const { keys, fetches } = counting(KEYS);
    await keys.finder(ISSUER, "one", NOW);
    await keys.finder(ISSUER, "two", later(29));
    assert.equal(fetches(), 1);
    await keys.finder(ISSUER, "two", later(30));
    await keys.finder(ISSUER, "two", later(31));
    assert.equal(fetches(), 2);
  });

  test("are asked for again half a minute after they could not be had", async () => {
    const { keys, fetches } = counting(new UnreachableError("down"), KEYS);
    await assert.rejects(keys.finder(ISSUER, "one", NOW), UnreachableError);
    await assert.rejects(keys.finder(ISSUER, "one", later(29)), UnreachableError);
    assert.equal(fetches(), 1);
    await keys.finder(ISSUER, "one", later(30));
    assert.equal(fetches(), 2);
  });

  test("are another issuer's own, and change with the thumbprints", async () => {
    const { keys, fetches } = counting(KEYS);
    await keys.finder(ISSUER, "one", NOW);
    await keys.finder({ ...ISSUER, url: "https://other.example.com" }, "one", NOW);
    await keys.finder({ ...ISSUER, thumbprints: ["a".repeat(40)] }, "one", NOW);
    assert.equal(fetches(), 3);
  });
});
