/** Signatures, tokens and requests that are wrong, in each protocol's own words; nothing of them is carried out. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as iam from "@aws-sdk/client-iam";
import { GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { sign } from "#gateway/auth/sigv4.ts";
import { openSession, sealSession } from "#gateway/session-token.ts";
import { type Administrator, type Answer, type ServedSystem, servedSystem } from "#tests/helpers/served-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";

const MINUTE = 60_000;
const FORM = "application/x-www-form-urlencoded";

interface Signing {
  readonly now?: Date;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** After signing. */
  readonly change?: (headers: Record<string, string>) => void;
}

/** A request that changes something, of each protocol. */
const PROTOCOLS = {
  json: {
    service: "logs",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.CreateLogGroup" },
    body: '{"logGroupName":"made"}',
  },
  query: {
    service: "iam",
    method: "POST",
    path: "/",
    headers: { "content-type": FORM },
    body: "Action=CreateUser&Version=2010-05-08&UserName=made",
  },
  s3: { service: "s3", method: "PUT", path: "/made-bucket", headers: {}, body: "" },
} as const;
type Protocol = keyof typeof PROTOCOLS;

let served: ServedSystem;
let administrator: Administrator;

before(async () => {
  served = await servedSystem();
  administrator = await served.administratorOf(ACCOUNT);
});
after(() => served?.[Symbol.asyncDispose]());

function sent(protocol: Protocol, signing: Signing = {}, body: string = PROTOCOLS[protocol].body): Promise<Answer> {
  const { service, method, path, headers } = PROTOCOLS[protocol];
  const { accessKeyId, secretAccessKey } = { ...administrator.credentials, ...signing };
  const request = { method, path, rawQuery: "", headers: { host: `127.0.0.1:${served.port}`, ...headers } };
  const signed = sign(
    { ...request, body: Buffer.from(body) },
    { accessKeyId, secretAccessKey, ...(signing.sessionToken && { sessionToken: signing.sessionToken }) },
    { region: REGION, service },
    signing.now ?? new Date(),
  );
  signing.change?.(signed);
  return served.send(method, path, { headers: signed, body });
}

function codeOf({ headers, body }: Answer): string | undefined {
  return (headers["x-amzn-errortype"] as string | undefined) ?? /<Code>(.*?)<\/Code>/.exec(body)?.[1];
}

async function nothingMade(): Promise<void> {
  const { Users } = await administrator.client.send(new iam.ListUsersCommand({}));
  assert.deepEqual(
    Users?.map(({ UserName }) => UserName),
    ["admin"],
  );
}

const ago = (minutes: number) => ({ now: new Date(Date.now() - minutes * MINUTE) });

/** The session with other contents, sealed as only this Slipway can. */
async function session(change: { expiration?: number } = {}): Promise<Required<Omit<Signing, "now" | "change">>> {
  const { Credentials } = await administrator.client.send(new GetSessionTokenCommand({}));
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = Credentials!;
  const { cipher } = served.system;
  const sessionToken = sealSession(cipher, { ...openSession(cipher, SessionToken)!, ...change });
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken };
}

const flipped = (text: string) => `${text.slice(0, 60)}${text[60] === "A" ? "B" : "A"}${text.slice(61)}`;

const cases: readonly {
  readonly name: string;
  readonly signing: () => Signing | Promise<Signing>;
  readonly codes: Readonly<Record<Protocol, string>>;
}[] = [
  {
    name: "signed 16 minutes ago",
    signing: () => ago(16),
    codes: { json: "InvalidSignatureException", query: "SignatureDoesNotMatch", s3: "RequestTimeTooSkewed" },
  },
  {
    name: "signed 16 minutes in the future",
    signing: () => ago(-16),
    codes: { json: "InvalidSignatureException", query: "SignatureDoesNotMatch", s3: "RequestTimeTooSkewed" },
  },
  {
    name: "with a session token that has expired",
    signing: () => session({ expiration: Date.now() - 1000 }),
    codes: { json: "ExpiredTokenException", query: "ExpiredToken", s3: "ExpiredToken" },
  },
  {
    name: "with a session token of which one letter was changed",
    signing: async () => {
      const own = await session();
      return { ...own, sessionToken: flipped(own.sessionToken) };
    },
    codes: { json: "UnrecognizedClientException", query: "InvalidClientTokenId", s3: "InvalidToken" },
  },
  {
    name: "with another session's token",
    signing: async () => ({ ...(await session()), sessionToken: (await session()).sessionToken }),
    codes: { json: "UnrecognizedClientException", query: "InvalidClientTokenId", s3: "InvalidToken" },
  },
  {
    name: "with a session's key but without its token",
    signing: async () => {
      const { accessKeyId, secretAccessKey } = await session();
      return { accessKeyId, secretAccessKey };
    },
    codes: { json: "UnrecognizedClientException", query: "InvalidClientTokenId", s3: "InvalidAccessKeyId" },
  },
  {
    name: "for another region than it says",
    signing: () => ({
      change: (headers) => {
        headers.authorization = headers.authorization!.replace(`/${REGION}/`, "/eu-west-1/");
      },
    }),
    codes: { json: "InvalidSignatureException", query: "SignatureDoesNotMatch", s3: "SignatureDoesNotMatch" },
  },
  {
    name: "with a scope that is cut short",
    signing: () => ({
      change: (headers) => {
        headers.authorization = "AWS4-HMAC-SHA256 Credential=AKIA/2026, SignedHeaders=host, Signature=00";
      },
    }),
    codes: { json: "IncompleteSignatureException", query: "", s3: "" },
  },
  {
    name: "with a date that is none",
    signing: () => ({
      change: (headers) => {
        headers["x-amz-date"] = "yesterday";
      },
    }),
    codes: { json: "", query: "", s3: "" },
  },
];

describe("a request", () => {
  for (const { name, signing, codes } of cases) {
    for (const protocol of Object.keys(PROTOCOLS) as Protocol[]) {
      it(`${name} is refused: ${protocol} ${codes[protocol]}`, async () => {
        const answer = await sent(protocol, await signing());
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.body}`);
        // "": which code AWS gives is not known; that there is one of the client's is.
        if (codes[protocol]) assert.equal(codeOf(answer), codes[protocol], answer.body);
        else assert.match(codeOf(answer) ?? answer.body, /\w+/);
        await nothingMade();
      });
    }
  }

  it("to S3 that comes too late is told its time, ours and how far they may be apart", async () => {
    const { now } = ago(16);
    const { body } = await sent("s3", { now });
    const requestTime = now.toISOString().replace(/[-:]|\.\d+/g, "");
    assert.match(body, new RegExp(`<RequestTime>${requestTime}</RequestTime>`));
    const [, serverTime = ""] = /<ServerTime>(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)<\/ServerTime>/.exec(body) ?? [];
    assert.ok(new Date(serverTime).getTime() - now.getTime() >= 15 * MINUTE, body);
    assert.match(body, /<MaxAllowedSkewMilliseconds>900000<\/MaxAllowedSkewMilliseconds>/);
  });

  it("to S3 whose signature is another is told what should have been signed, other services have it in the message", async () => {
    const { body } = await sent("s3", { secretAccessKey: "other" });
    assert.match(body, /<StringToSign>AWS4-HMAC-SHA256\n\d{8}T\d{6}Z\n/);
    assert.match(body, /<CanonicalRequest>PUT\n\/made-bucket\n/);
    const query = await sent("query", { secretAccessKey: "other" });
    assert.doesNotMatch(query.body, /<StringToSign>/);
  });

  it("signed four minutes ago or hence is taken", async () => {
    for (const minutes of [4, -4]) {
      const answer = await sent("query", ago(minutes), "Action=ListUsers&Version=2010-05-08");
      assert.equal(answer.status, 200, answer.body);
    }
  });
});

describe("a body", () => {
  const group = (name: string) => `{"logGroupName":${name}}`;
  const deep = 100_000;
  const bodies: readonly [name: string, protocol: Protocol, body: string | Uint8Array][] = [
    ["of lists nested 100,000 deep", "json", group("[".repeat(deep) + "]".repeat(deep))],
    ["of objects nested 100,000 deep", "json", `{"tags":${'{"a":'.repeat(deep)}1${"}".repeat(deep)}}`],
    ["that is cut off", "json", '{"logGroupName":"ma'],
    ["with a number beyond all", "json", group("1e999")],
    ["that says NaN", "json", group("NaN")],
    ["with __proto__", "json", `{"__proto__":{"logGroupName":"made"}}`],
    [
      "of 10,000 tags",
      "json",
      `{"logGroupName":"made","tags":{${Array.from({ length: 10_000 }, (_, i) => `"k${i}":"v"`).join()}}}`,
    ],
    [
      "of a Query parameter nested 5,000 deep",
      "query",
      `Action=CreateUser&Version=2010-05-08&Tags${".member.1".repeat(5_000)}=x`,
    ],
    ["of 100,000 Query parameters", "query", `Action=CreateUser&Version=2010-05-08${"&a=b".repeat(100_000)}`],
    [
      "of 10,000 list members",
      "query",
      `Action=CreateUser&Version=2010-05-08&UserName=made${Array.from({ length: 10_000 }, (_, i) => `&Tags.member.${i + 1}.Key=k${i}&Tags.member.${i + 1}.Value=v`).join("")}`,
    ],
    ["with a percent-encoding that is none", "query", "Action=CreateUser&Version=2010-05-08&UserName=%C3%28%ff%ZZ"],
    ["of XML nested 100,000 deep", "s3", `${"<a>".repeat(deep)}${"</a>".repeat(deep)}`],
    [
      "of XML with an entity that grows",
      "s3",
      `<!DOCTYPE a [<!ENTITY b "${"x".repeat(1000)}"><!ENTITY c "${"&b;".repeat(1000)}">]><CreateBucketConfiguration><LocationConstraint>&c;</LocationConstraint></CreateBucketConfiguration>`,
    ],
    [
      "of XML with somebody's file in it",
      "s3",
      `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><CreateBucketConfiguration><LocationConstraint>&b;</LocationConstraint></CreateBucketConfiguration>`,
    ],
    ["of XML that is not closed", "s3", "<CreateBucketConfiguration><LocationConstraint>"],
  ];
  for (const [name, protocol, body] of bodies) {
    it(`${name} is refused (${protocol})`, async () => {
      const answer = await sent(protocol, {}, body as string);
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.body.slice(0, 500)}`);
      assert.ok(codeOf(answer), answer.body.slice(0, 500));
      assert.ok(!answer.body.includes("root:"), answer.body.slice(0, 500));
      await nothingMade();
    });
  }

  it("of which a Query parameter comes twice is one request", async () => {
    const answer = await sent(
      "query",
      {},
      "Action=GetUser&Version=2010-05-08&UserName=admin&UserName=admin&Action=GetUser",
    );
    assert.ok(answer.status < 500, answer.body);
  });
});

describe("the connection", () => {
  it("answers headers that are too large with 431", async () => {
    const answer = await served.send("GET", "/", { headers: { "x-amz-meta-a": "x".repeat(20_000) } });
    assert.equal(answer.status, 431);
  });

  it("goes on after every one of them", async () => {
    assert.equal((await sent("query", {}, "Action=ListUsers&Version=2010-05-08")).status, 200);
    assert.deepEqual(
      served.logged.filter((line) => line.startsWith("error")),
      [],
    );
  });
});
