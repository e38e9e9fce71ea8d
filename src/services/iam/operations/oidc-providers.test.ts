import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { testIssuer, thumbprintOf } from "#gateway/federation/testing.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { aUser, iamSystem, policy } from "../testing.ts";

const ARN = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;
const THUMBPRINT = "6938fd4d98bab03faadb97b34396831e3780aea1";
const GITHUB = {
  Url: "https://token.actions.githubusercontent.com",
  ClientIDList: ["sts.amazonaws.com"],
  ThumbprintList: [THUMBPRINT.toUpperCase()],
};

/** Something on this machine that speaks no TLS. */
async function listening(answer: (socket: Socket) => void) {
  let received = "";
  const server = createServer((socket) => {
    socket.on("data", (data) => {
      received += data.toString("latin1");
    });
    socket.on("error", () => {});
    answer(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe("OpenID Connect providers", () => {
  test("are made, shown, listed and deleted", async () => {
    await using system = await iamSystem();
    system.setNow(new Date("2026-01-01T00:00:00Z"));
    const create = new sdk.CreateOpenIDConnectProviderCommand({
      ...GITHUB,
      Tags: [
        { Key: "b", Value: "2" },
        { Key: "a", Value: "1" },
      ],
    });
    const tags = [
      { Key: "a", Value: "1" },
      { Key: "b", Value: "2" },
    ];
    assert.deepEqual(await system.root.send(create), { OpenIDConnectProviderArn: ARN, Tags: tags });
    assert.deepEqual(
      await system.root.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN })),
      {
        Url: "token.actions.githubusercontent.com",
        ClientIDList: ["sts.amazonaws.com"],
        ThumbprintList: [THUMBPRINT],
        CreateDate: new Date("2026-01-01T00:00:00Z"),
        Tags: tags,
      },
    );
    await assert.rejects(system.root.send(create), {
      name: "EntityAlreadyExistsException",
      message: "Provider with url https://token.actions.githubusercontent.com already exists.",
    });
    const list = () => system.root.send(new sdk.ListOpenIDConnectProvidersCommand({}));
    assert.deepEqual((await list()).OpenIDConnectProviderList, [{ Arn: ARN }]);
    const remove = new sdk.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN });
    await system.root.send(remove);
    await system.root.send(remove); // AWS does not mind
    assert.deepEqual((await list()).OpenIDConnectProviderList, []);
    await assert.rejects(system.root.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN })), {
      name: "NoSuchEntityException",
      message: `OpenIDConnect Provider not found for arn ${ARN}`,
    });
  });

  test("have client ids and thumbprints that change, up to AWS's limits", async () => {
    await using system = await iamSystem();
    await system.root.send(new sdk.CreateOpenIDConnectProviderCommand(GITHUB));
    const about = { OpenIDConnectProviderArn: ARN };
    const clientIds = async () =>
      (await system.root.send(new sdk.GetOpenIDConnectProviderCommand(about))).ClientIDList!;
    const add = (ClientID: string) =>
      system.root.send(new sdk.AddClientIDToOpenIDConnectProviderCommand({ ...about, ClientID }));
    await add("app");
    await add("app");
    assert.deepEqual(await clientIds(), ["sts.amazonaws.com", "app"]);
    const removeId = new sdk.RemoveClientIDFromOpenIDConnectProviderCommand({ ...about, ClientID: "app" });
    await system.root.send(removeId);
    await system.root.send(removeId);
    assert.deepEqual(await clientIds(), ["sts.amazonaws.com"]);
    for (let index = 1; index < 100; index++) await add(`app-${index}`);
    await assert.rejects(add("app-100"), {
      name: "LimitExceededException",
      message: "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100",
    });
    const thumbprints = (ThumbprintList: string[]) =>
      system.root.send(new sdk.UpdateOpenIDConnectProviderThumbprintCommand({ ...about, ThumbprintList }));
    await thumbprints(["A", "B", "C", "D", "E"].map((letter) => letter.repeat(40)));
    assert.deepEqual(
      (await system.root.send(new sdk.GetOpenIDConnectProviderCommand(about))).ThumbprintList,
      ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(40)),
    );
    await assert.rejects(thumbprints([..."abcdef"].map((letter) => letter.repeat(40))), {
      name: "InvalidInputException",
      message: "Thumbprint list must contain fewer than 5 entries.",
    });
    await assert.rejects(thumbprints(["short"]), { name: "ValidationError" });
  });

  test("are named by a URL that AWS takes, or one with a port", async () => {
    await using system = await iamSystem();
    const create = (Url: string) => system.root.send(new sdk.CreateOpenIDConnectProviderCommand({ ...GITHUB, Url }));
    for (const [url, name] of [
      ["example.com", "ValidationError"],
      ["https://", "ValidationError"],
      ["http://example.com", "InvalidInputException"],
      ["https://user:secret@example.com", "InvalidInputException"],
      ["https://example.com?a=b", "InvalidInputException"],
      ["https://example.com#a", "InvalidInputException"],
      [`https://${"a".repeat(250)}.com`, "ValidationError"],
    ] as const) {
      await assert.rejects(create(url), { name }, url);
    }
    const { OpenIDConnectProviderArn } = await create("https://localhost:8443/realms/ci");
    assert.equal(OpenIDConnectProviderArn, `arn:aws:iam::${ACCOUNT}:oidc-provider/localhost:8443/realms/ci`);
    await create("https://example.com");
    await create("https://example.com/");
  });

  test("take the issuer's own thumbprint where none is given", async () => {
    await using system = await iamSystem();
    const issuer = await testIssuer({ keys: [] });
    const create = new sdk.CreateOpenIDConnectProviderCommand({ Url: issuer.url });
    const { OpenIDConnectProviderArn } = await system.root.send(create);
    const get = new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn });
    assert.deepEqual((await system.root.send(get)).ThumbprintList, [thumbprintOf(issuer.caPem)]);
    await issuer[Symbol.asyncDispose]();
    const elsewhere = new sdk.CreateOpenIDConnectProviderCommand({ Url: `${issuer.url}/gone` });
    await assert.rejects(system.root.send(elsewhere), { name: "OpenIdIdpCommunicationErrorException" });
  });

  test("of link-local addresses are not connected to, and why a thumbprint could not be had is not told", async () => {
    await using system = await iamSystem();
    await using plain = await listening((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nsecret"));
    for (const host of [
      "169.254.169.254",
      "[fe80::1]",
      "[::ffff:169.254.170.2]",
      "127.0.0.1:9",
      `127.0.0.1:${plain.port}`,
    ]) {
      const Url = `https://${host}`;
      await assert.rejects(system.root.send(new sdk.CreateOpenIDConnectProviderCommand({ Url })), {
        name: "OpenIdIdpCommunicationErrorException",
        message: `The certificate of ${new URL(Url).origin} could not be retrieved; pass its thumbprint in ThumbprintList.`,
      });
    }
    const { OpenIDConnectProviderList } = await system.root.send(new sdk.ListOpenIDConnectProvidersCommand({}));
    assert.deepEqual(OpenIDConnectProviderList, []);
    assert.doesNotMatch(plain.received(), /GET|HTTP/);
  });

  test("have tags, which policies may ask for", async () => {
    await using system = await iamSystem();
    await system.root.send(new sdk.CreateOpenIDConnectProviderCommand(GITHUB));
    const about = { OpenIDConnectProviderArn: ARN };
    const Tags = ["a", "b", "c"].map((Key) => ({ Key, Value: Key }));
    await system.root.send(new sdk.TagOpenIDConnectProviderCommand({ ...about, Tags }));
    const list = (more: object = {}) =>
      system.root.send(new sdk.ListOpenIDConnectProviderTagsCommand({ ...about, ...more }));
    const { Marker, ...first } = await list({ MaxItems: 2 });
    assert.deepEqual(first, { Tags: Tags.slice(0, 2), IsTruncated: true });
    assert.deepEqual(await list({ Marker }), { Tags: Tags.slice(2), IsTruncated: false });
    await system.root.send(new sdk.UntagOpenIDConnectProviderCommand({ ...about, TagKeys: ["b", "c"] }));
    assert.deepEqual((await list()).Tags, [{ Key: "a", Value: "a" }]);

    const document = JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Action: "iam:*",
        Resource: ARN,
        Condition: { StringEquals: { "aws:ResourceTag/a": "a" } },
      },
    });
    const { client } = await aUser(system, "tagged", document);
    await client.send(new sdk.UntagOpenIDConnectProviderCommand({ ...about, TagKeys: ["a"] }));
    await assert.rejects(client.send(new sdk.GetOpenIDConnectProviderCommand(about)), { name: "AccessDenied" });
  });

  test("are an account's own", async () => {
    await using system = await iamSystem();
    await system.root.send(new sdk.CreateOpenIDConnectProviderCommand(GITHUB));
    const { client } = await aUser(system, "other", policy("Allow", "iam:*"));
    const stranger = system.client(
      {
        type: "Root",
        arn: "arn:aws:iam::999988887777:root",
        accountId: "999988887777",
        userId: "999988887777",
        accessKeyId: undefined,
      },
      { accountId: "999988887777", region: "us-east-1" },
    );
    await client.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN }));
    await assert.rejects(stranger.send(new sdk.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN })));
    await assert.rejects(stranger.send(new sdk.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: ARN })));
    assert.deepEqual(
      (await stranger.send(new sdk.ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList,
      [],
    );
  });
});

describe("the account's own issuer", () => {
  test("keeps its name when it is turned off and on again", async () => {
    await using system = await iamSystem();
    const info = () => system.root.send(new sdk.GetOutboundWebIdentityFederationInfoCommand({}));
    await assert.rejects(info(), { name: "FeatureDisabledException" });
    const enable = () => system.root.send(new sdk.EnableOutboundWebIdentityFederationCommand({}));
    const { IssuerIdentifier } = await enable();
    assert.match(IssuerIdentifier!, /^https:\/\/[0-9a-f-]{36}\.tokens\.sts\.global\.api\.aws$/);
    assert.deepEqual(await info(), { IssuerIdentifier, JwtVendingEnabled: true });
    await assert.rejects(enable(), { name: "FeatureEnabledException" });
    const disable = () => system.root.send(new sdk.DisableOutboundWebIdentityFederationCommand({}));
    await disable();
    await assert.rejects(disable(), { name: "FeatureDisabledException" });
    await assert.rejects(info(), { name: "FeatureDisabledException" });
    assert.deepEqual(await enable(), { IssuerIdentifier });
  });
});
