import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { HttpRequest } from "@smithy/core/protocols";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { canonicalPath, canonicalQuery, canonicalRequest } from "./canonical-request.ts";
import { parseAuthorization, SignatureError, type SignedRequest, sign, Verifier } from "./sigv4.ts";
import vectors from "./sigv4-vectors.json" with { type: "json" };

const SECRET = vectors.credentials.secretAccessKey;
const TIME = new Date(vectors.time);
const S3_SCOPE = { region: "ca-central-1", service: "s3" };
const CODEBUILD_SCOPE = { region: "ca-central-1", service: "codebuild" };

function verify(request: SignedRequest, now = TIME, secret = SECRET) {
  const authorization = parseAuthorization(request);
  assert.ok(authorization, "the request carries no authorization");
  return new Verifier().verify(request, authorization, secret, now);
}

function refusal(attempt: () => unknown): SignatureError {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof SignatureError, String(error));
    return error;
  }
  assert.fail("was not refused");
}

function plainRequest(overrides: Partial<SignedRequest> = {}): SignedRequest {
  const headers = { host: "codebuild.ca-central-1.amazonaws.com", "x-amz-target": "CodeBuild_20161006.ListProjects" };
  return { method: "POST", path: "/", rawQuery: "", headers, body: Buffer.from("{}"), ...overrides };
}

function signed(request: SignedRequest, scope = CODEBUILD_SCOPE, now = TIME): SignedRequest {
  return { ...request, headers: sign(request, vectors.credentials, scope, now) };
}

suite("AWS's SigV4 test suite", () => {
  for (const { name, request, canonicalRequest: expected, signature } of vectors.requests) {
    test(name, () => {
      const signedRequest = {
        ...request,
        headers: { ...request.headers } as SignedRequest["headers"],
        body: Buffer.from(request.body),
      };
      const authorization = parseAuthorization(signedRequest);
      assert.ok(authorization);
      assert.equal(authorization.signature, signature);
      const payloadHash = expected.slice(expected.lastIndexOf("\n") + 1);
      // Its presigned requests were made while the token of post-sts-header-after was added after signing.
      const unsignedToken = name === "post-sts-header-after (presigned)";
      const rawQuery = unsignedToken ? request.rawQuery.replace(/&X-Amz-Security-Token=[^&]*/, "") : request.rawQuery;
      const toVerify = { ...signedRequest, rawQuery };
      assert.equal(
        canonicalRequest(toVerify, authorization.service, authorization.signedHeaders, payloadHash),
        expected,
      );
      const verified = new Verifier().verify(toVerify, authorization, SECRET, TIME);
      assert.equal(verified.scope, "20150830/us-east-1/service/aws4_request");
    });
  }

  for (const { name, path, canonicalPath: expected } of vectors.unnormalizedPaths) {
    test(`S3's paths are not normalised: ${name}`, () => assert.equal(canonicalPath(path, "s3"), expected));
  }
});

suite("canonical query", () => {
  test("sorts by name before value, and gives valueless parameters an empty value", () => {
    assert.equal(canonicalQuery("uploads&a-b=1&a=2&a=1&"), "a=1&a=2&a-b=1&uploads=");
  });
  test("encodes what clients leave as it is", () => {
    assert.equal(canonicalQuery("k=a+b(c)%7e"), "k=a%20b%28c%29~");
  });
  test("refuses what is not percent-encoded UTF-8", () => {
    assert.equal(refusal(() => canonicalQuery("a=%zz")).reason, "malformed-query");
  });
});

suite("parseAuthorization", () => {
  test("finds nothing on an anonymous request", () => assert.equal(parseAuthorization(plainRequest()), undefined));

  test("names every part that an Authorization header lacks, without repeating the header", () => {
    const request = plainRequest({ headers: { host: "h", authorization: "Basic c2VjcmV0" } });
    const error = refusal(() => parseAuthorization(request));
    assert.equal(error.reason, "incomplete");
    assert.match(
      error.message,
      /^Authorization header requires 'Credential' parameter\. Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header\. Authorization header \(hashed/,
    );
    assert.doesNotMatch(error.message, /c2VjcmV0/);
  });

  test("refuses a credential that is not five elements", () => {
    const request = signed(plainRequest());
    request.headers.authorization = request.headers.authorization?.replace("/aws4_request", "");
    assert.equal(refusal(() => parseAuthorization(request)).reason, "incomplete");
  });

  const query = vectors.requests.find(({ name }) => name === "get-vanilla (presigned)")?.request.rawQuery ?? "";
  const MALFORMED: [what: string, rawQuery: string, message: RegExp][] = [
    ["a missing parameter", query.replace(/&X-Amz-Date=[^&]*/, ""), /requires the X-Amz-Algorithm/],
    ["an expiry that is no number", query.replace("Expires=3600", "Expires=1h"), /should be a number/],
    ["a negative expiry", query.replace("Expires=3600", "Expires=-1"), /must be non-negative/],
    ["an expiry beyond a week", query.replace("Expires=3600", "Expires=604801"), /less than a week/],
    ["a date in another format", query.replace("20150830T123600Z", "2015-08-30"), /ISO8601 Long Format/],
    ["an impossible date", query.replace("20150830T123600Z", "20150230T123600Z"), /ISO8601 Long Format/],
    ["another algorithm", query.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), /only supports/],
    ["a credential without scope", query.replace(/(X-Amz-Credential=)[^&]*/, "$1AKID"), /Credential is mal-formed/],
    ["a parameter given twice", `${query}&X-Amz-Date=20150830T123600Z`, /only once/],
  ];
  for (const [what, rawQuery, message] of MALFORMED) {
    test(`refuses a presigned URL with ${what}`, () => {
      const error = refusal(() => parseAuthorization(plainRequest({ method: "GET", rawQuery })));
      assert.equal(error.reason, "malformed-query");
      assert.match(error.message, message);
    });
  }

  test("refuses a header beside a presigned query", () => {
    assert.equal(
      refusal(() => parseAuthorization(signed(plainRequest({ rawQuery: query })))).reason,
      "malformed-query",
    );
  });
});

suite("Verifier", () => {
  test("verifies what sign makes, with a session token too", () => {
    const request = plainRequest();
    const headers = sign(request, { ...vectors.credentials, sessionToken: "token" }, CODEBUILD_SCOPE, TIME);
    const { authorization } = verify({ ...request, headers });
    assert.equal(authorization.sessionToken, "token");
    assert.equal(authorization.region, "ca-central-1");
    assert.ok(authorization.signedHeaders.includes("x-amz-security-token"));
  });

  test("notices that a secret was changed under the same key id", () => {
    const verifier = new Verifier();
    const request = signed(plainRequest());
    const authorization = parseAuthorization(request);
    assert.ok(authorization);
    verifier.verify(request, authorization, SECRET, TIME);
    assert.equal(refusal(() => verifier.verify(request, authorization, "other", TIME)).reason, "mismatch");
    verifier.verify(request, authorization, SECRET, TIME);
  });

  test("says what should have been signed", () => {
    const error = refusal(() => verify(signed(plainRequest()), TIME, "wrong"));
    assert.match(
      error.message,
      /Consult the service documentation for details\.\n\nThe Canonical String for this request should have been\n'POST\n/,
    );
    assert.match(error.message, /The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n/);
    assert.equal(error.details.stringToSign?.split("\n")[2], "20150830/ca-central-1/codebuild/aws4_request");
  });

  const after = (seconds: number) => new Date(TIME.getTime() + seconds * 1000);

  test("says how far off a request is whose time is too different", () => {
    const late = refusal(() => verify(signed(plainRequest()), after(301)));
    assert.equal(late.reason, "skewed");
    assert.equal(
      late.message,
      "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)",
    );
    const early = refusal(() => verify(signed(plainRequest()), after(-301)));
    assert.equal(early.reason, "skewed");
    assert.equal(
      early.message,
      "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)",
    );
  });

  for (const [minutes, services] of [
    [5, ["codebuild", "codepipeline", "ecs", "elasticloadbalancing", "kms", "logs", "organizations"]],
    [15, ["s3", "sts", "iam", "ecr"]],
  ] as const) {
    for (const service of services) {
      test(`gives ${service} ${minutes} minutes to both sides, and not a second more`, async () => {
        const request = signed(plainRequest(), { ...S3_SCOPE, service });
        const url = await presignedBySdk(service, 3600);
        for (const side of [1, -1]) {
          verify(request, after(side * minutes * 60));
          const refused = refusal(() => verify(request, after(side * (minutes * 60 + 1))));
          assert.equal(refused.reason, "skewed");
          if (service !== "s3") assert.match(refused.message, new RegExp(`[-+] ${minutes} min\\.\\)$`));
        }
        // A URL says itself until when; what is left is how early it may come.
        verify(url, after(-minutes * 60));
        const early = refusal(() => verify(url, after(-(minutes * 60 + 1))));
        assert.deepEqual([early.reason, early.message], ["expired", "Request is not valid yet"]);
      });
    }
  }

  for (const [service, expires] of [
    ["s3", 1],
    ["s3", 604_800],
    ["sts", 60],
    ["codebuild", 3600],
  ] as const) {
    test(`takes a presigned URL of ${service} for its ${expires} seconds, and not a second more`, async () => {
      const request = await presignedBySdk(service, expires);
      verify(request, after(expires));
      const late = refusal(() => verify(request, after(expires + 1)));
      assert.deepEqual([late.reason, late.message], ["expired", "Request has expired"]);
      const told = { expiresSeconds: expires, expires: after(expires), serverTime: after(expires + 1) };
      assert.deepEqual(late.details, told);
    });
  }

  test("refuses a date outside the credential's scope", () => {
    const request = signed(plainRequest());
    request.headers.authorization = request.headers.authorization?.replace("/20150830/", "/20150829/");
    assert.match(
      refusal(() => verify(request)).message,
      /^Date in Credential scope does not match .*'20150829' != '20150830'/,
    );
  });

  test("refuses a request whose host is not signed", () => {
    const error = refusal(() => verify(signed(plainRequest({ headers: { "x-amz-target": "t" } }))));
    assert.equal(error.reason, "unsigned-header");
  });

  test("refuses an unsigned x-amz- header for S3, and only there", () => {
    const s3 = signed(plainRequest(), S3_SCOPE);
    s3.headers["x-amz-acl"] = "public-read";
    const error = refusal(() => verify(s3));
    assert.equal(error.reason, "unsigned-header");
    assert.deepEqual(error.details.unsignedHeaders, ["x-amz-acl"]);
    const codebuild = signed(plainRequest());
    codebuild.headers["x-amz-user-agent"] = "proxy";
    verify(codebuild);
  });

  test("refuses a declared hash that is not the body's", () => {
    const request = { ...signed(plainRequest(), S3_SCOPE), body: Buffer.from("{ }") };
    assert.equal(refusal(() => verify(request)).reason, "body-hash");
  });

  test("leaves the hash of a streamed body to the payload decoder", () => {
    verify({ ...signed(plainRequest(), S3_SCOPE), body: undefined });
  });

  test("takes UNSIGNED-PAYLOAD for S3 only, and no unknown value", () => {
    const declaring = (value: string) => plainRequest({ headers: { host: "h", "x-amz-content-sha256": value } });
    verify(signed(declaring("UNSIGNED-PAYLOAD"), S3_SCOPE));
    assert.equal(refusal(() => verify(signed(declaring("UNSIGNED-PAYLOAD")))).reason, "body-hash");
    assert.equal(refusal(() => verify(signed(declaring("no-hash"), S3_SCOPE))).reason, "body-hash");
  });
});

/** The reference: AWS's own signer, of whose hashing class only this much is used. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Buffer);
  }
  update(data: string | Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {}
}

function sdkSigner(service: string): SignatureV4 {
  return new SignatureV4({
    credentials: vectors.credentials,
    region: "ca-central-1",
    service,
    sha256: Sha256,
    uriEscapePath: service !== "s3",
    applyChecksum: true,
  });
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

function rawQueryOf(query: Readonly<Record<string, unknown>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`)
    .join("&");
}

async function presignedBySdk(service: string, expiresIn: number): Promise<SignedRequest> {
  const hostname = "example.amazonaws.com";
  // As S3's presigner does it: what is to be sent is not known yet.
  const headers = { host: hostname, ...(service === "s3" && { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }) };
  const { query = {} } = await sdkSigner(service).presign(
    new HttpRequest({ method: "GET", path: "/", hostname, headers }),
    {
      signingDate: TIME,
      expiresIn,
      unsignableHeaders: new Set(["x-amz-content-sha256"]),
      unhoistableHeaders: new Set(["x-amz-content-sha256"]),
    },
  );
  return { method: "GET", path: "/", rawQuery: rawQueryOf(query), headers: { host: hostname }, body: undefined };
}

const unicodeText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
const headerText = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const requests = fc.record({
  service: fc.constantFrom("s3", "codebuild"),
  method: fc.constantFrom("GET", "PUT", "POST", "DELETE"),
  segments: fc.array(fc.oneof(unicodeText, fc.constantFrom(".", "..", "")), { maxLength: 4 }),
  query: fc.dictionary(unicodeText, unicodeText, { maxKeys: 4, noNullPrototype: true }),
  meta: fc.dictionary(fc.stringMatching(/^x-amz-meta-[a-z]{1,6}$/), headerText, { maxKeys: 3, noNullPrototype: true }),
  body: fc.uint8Array({ maxLength: 64 }),
});

/** As the SDK signs and sends it. */
async function signedBySdk({
  service,
  method,
  segments,
  query,
  meta,
  body,
}: typeof requests extends fc.Arbitrary<infer T> ? T : never): Promise<SignedRequest> {
  const path = `/${segments.map(encoded).join("/")}`;
  const request = new HttpRequest({
    method,
    path,
    query,
    hostname: "example.amazonaws.com",
    headers: { host: "example.amazonaws.com", ...meta },
    body,
  });
  const { headers } = await sdkSigner(service).sign(request, { signingDate: TIME });
  return { method, path, rawQuery: rawQueryOf(query), headers, body };
}

suite("against @smithy/signature-v4", () => {
  test("any request that the SDK signs verifies, and sign makes the same signature", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (plain) => {
        const request = await signedBySdk(plain);
        verify(request);
        const { authorization, ...headers } = request.headers;
        const ours = sign(
          { ...request, headers },
          vectors.credentials,
          { region: "ca-central-1", service: plain.service },
          TIME,
        );
        assert.equal(ours.authorization, authorization);
      }),
    );
  });

  test("any tampering is refused", async () => {
    const tampering = fc.constantFrom("method", "path", "query", "host", "meta", "body", "date", "region", "signature");
    await fc.assert(
      fc.asyncProperty(requests, tampering, fc.nat(), async (plain, what, seed) => {
        const request = await signedBySdk({ ...plain, meta: { ...plain.meta, "x-amz-meta-a": "value" } });
        assert.throws(() => verify(tampered(request, what, seed)), SignatureError);
      }),
    );
  });
});

function tampered(request: SignedRequest, what: string, seed: number): SignedRequest {
  const headers = { ...request.headers };
  const authorization = headers.authorization ?? "";
  switch (what) {
    case "method":
      return { ...request, method: request.method === "GET" ? "PUT" : "GET" };
    case "path":
      return { ...request, path: `${request.path}x` };
    case "query":
      return { ...request, rawQuery: request.rawQuery === "" ? "acl" : `${request.rawQuery}&acl` };
    case "host":
      return { ...request, headers: { ...headers, host: "evil.example.com" } };
    case "meta":
      return { ...request, headers: { ...headers, "x-amz-meta-a": "valuE" } };
    case "date":
      return { ...request, headers: { ...headers, "x-amz-date": "20150830T123601Z" } };
    case "region":
      return { ...request, headers: { ...headers, authorization: authorization.replace("ca-central-1", "us-east-1") } };
    case "signature": {
      const at = authorization.length - 1 - (seed % 64);
      const digit = authorization[at] === "0" ? "1" : "0";
      return {
        ...request,
        headers: { ...headers, authorization: authorization.slice(0, at) + digit + authorization.slice(at + 1) },
      };
    }
    default: {
      const body = Buffer.concat([request.body ?? Buffer.alloc(0), Buffer.from([seed & 0xff])]);
      return { ...request, body };
    }
  }
}
