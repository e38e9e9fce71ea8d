/**
 * Credentials as clients find them by themselves: profiles that assume roles, with MFA too, tokens of a web identity in a file,
 * programs that print credentials. The same files and environment for the aws CLI and the JS SDK.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as iamSdk from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type TestIssuer, testIssuer } from "#gateway/federation/testing.ts";
import { fromBase32, stepAt, totpCode } from "#services/iam/totp.ts";
import { ensureTools } from "#setup/apt.ts";
import { type Ran, ran } from "#tests/helpers/ran.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

const ISSUER_KEYS = await generateKeyPair("ES256");
/** With nothing but what its environment says. */
const SDK_PROGRAM = `
  import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
  const client = new STSClient({ maxAttempts: 1 });
  console.log((await client.send(new GetCallerIdentityCommand({}))).Arn);
`;

type Environment = Readonly<Record<string, string>>;

let slipway: SlipwayProcess;
let issuer: TestIssuer;
let folder: string;
let account: string;
let seed: Buffer;

before(async () => {
  await ensureTools(["aws"], (line) => console.log(line));
  slipway = await SlipwayProcess.start();
  account = slipway.running.account;
  folder = await mkdtemp(join(tmpdir(), "slipway-sources-"));
  const jwk = { ...(await exportJWK(ISSUER_KEYS.publicKey)), kid: "one", alg: "ES256" };
  const pem = (file: string) => readFile(join(slipway.dataDir, "tls", file), "utf8");
  issuer = await testIssuer(
    { keys: [jwk] },
    { certificatePem: await pem("ca.pem"), privateKeyPem: await pem("ca.key") },
  );
  await makeIdentities();
  await writeFiles();
});
after(async () => {
  await issuer[Symbol.asyncDispose]();
  await slipway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function configuration() {
  const { url, region, accessKeyId, secretAccessKey } = slipway.running;
  return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
}

function roleArn(name: string): string {
  return `arn:aws:iam::${account}:role/${name}`;
}

function statement(Effect: string, more: object): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect, ...more }] });
}

async function makeIdentities(): Promise<void> {
  const iam = new iamSdk.IAMClient(configuration());
  const UserName = "dev";
  await iam.send(new iamSdk.CreateUserCommand({ UserName }));
  const PolicyDocument = statement("Allow", { Action: "sts:AssumeRole", Resource: "*" });
  await iam.send(new iamSdk.PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
  const { AccessKey } = await iam.send(new iamSdk.CreateAccessKeyCommand({ UserName }));
  await writeFile(
    join(folder, "credentials"),
    `[dev]\naws_access_key_id=${AccessKey!.AccessKeyId}\naws_secret_access_key=${AccessKey!.SecretAccessKey}\n`,
  );

  const device = await iam.send(new iamSdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "phone" }));
  seed = fromBase32(Buffer.from(device.VirtualMFADevice!.Base32StringSeed!).toString());
  const [AuthenticationCode1, AuthenticationCode2] = [code(-2), code(-1)];
  const enable = { UserName, SerialNumber: serial(), AuthenticationCode1, AuthenticationCode2 };
  await iam.send(new iamSdk.EnableMFADeviceCommand(enable));

  const provider = new iamSdk.CreateOpenIDConnectProviderCommand({
    Url: issuer.url,
    ClientIDList: ["sts.amazonaws.com"],
    ThumbprintList: ["0".repeat(40)],
  });
  const Federated = (await iam.send(provider)).OpenIDConnectProviderArn;
  const ofAccount = { Principal: { AWS: account }, Action: "sts:AssumeRole" };
  const trusts: readonly (readonly [RoleName: string, trust: object])[] = [
    ["deployer", ofAccount],
    ["careful", { ...ofAccount, Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } }],
    ["pod", { Principal: { Federated }, Action: "sts:AssumeRoleWithWebIdentity" }],
  ];
  for (const [RoleName, trust] of trusts) {
    const AssumeRolePolicyDocument = statement("Allow", trust);
    await iam.send(new iamSdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  }
  const next = { RoleName: "deployer", PolicyName: "next", PolicyDocument };
  await iam.send(new iamSdk.PutRolePolicyCommand(next));
}

function serial(): string {
  return `arn:aws:iam::${account}:mfa/phone`;
}

function code(offset: number): string {
  return totpCode(seed, stepAt(new Date()) + offset);
}

async function writeFiles(): Promise<void> {
  const token = await new SignJWT({ sub: "system:serviceaccount:default:app" })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .setIssuer(issuer.url)
    .setAudience("sts.amazonaws.com")
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(ISSUER_KEYS.privateKey);
  await writeFile(join(folder, "token"), token);

  const sts = new STSClient(configuration());
  const command = new AssumeRoleCommand({ RoleArn: roleArn("deployer"), RoleSessionName: "printed" });
  const { Credentials } = await sts.send(command);
  await writeFile(join(folder, "printed.json"), JSON.stringify({ Version: 1, ...Credentials }));

  const profiles = {
    plain: [`role_arn=${roleArn("deployer")}`, "source_profile=dev", "role_session_name=plain"],
    chained: [`role_arn=${roleArn("deployer")}`, "source_profile=plain", "role_session_name=chained"],
    careful: [
      `role_arn=${roleArn("careful")}`,
      "source_profile=dev",
      "role_session_name=careful",
      `mfa_serial=${serial()}`,
    ],
    careless: [`role_arn=${roleArn("careful")}`, "source_profile=dev", "role_session_name=careless"],
    pod: [
      `role_arn=${roleArn("pod")}`,
      `web_identity_token_file=${join(folder, "token")}`,
      "role_session_name=profile",
    ],
    printed: [`credential_process=cat ${join(folder, "printed.json")}`],
  };
  const sections = Object.entries(profiles).map(([name, lines]) => `[profile ${name}]\n${lines.join("\n")}\n`);
  await writeFile(join(folder, "config"), sections.join("\n"));
}

/** A program that no terminal belongs to, so that it reads what it asks for from its standard input. */
async function run(command: string, args: readonly string[], chosen: Environment, stdin = ""): Promise<Ran> {
  const { url, port, caBundle } = slipway.running;
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|https?_proxy$|no_proxy$)/i.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    AWS_ENDPOINT_URL: url,
    // CLIs that do not know it yet reach AWS's names through Slipway's proxy.
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
    AWS_CA_BUNDLE: caBundle,
    AWS_STS_REGIONAL_ENDPOINTS: "regional",
    AWS_REGION: "eu-central-1",
    AWS_DEFAULT_REGION: "eu-central-1",
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    HOME: folder, // where the CLI keeps what it has assumed
    ...chosen,
  };
  const { stdout, ...ended } = await ran(command, args, { env, detached: true }, stdin);
  return { ...ended, stdout: stdout.trim() };
}

const cli = (chosen: Environment, stdin?: string) =>
  run("aws", ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"], chosen, stdin);
const sdk = (chosen: Environment) => run(process.execPath, ["--input-type=module", "--eval", SDK_PROGRAM], chosen);

const webIdentity = (): Environment => ({
  AWS_ROLE_ARN: roleArn("pod"),
  AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "token"),
  AWS_ROLE_SESSION_NAME: "environment",
});

for (const [name, client] of [
  ["the aws CLI", cli],
  ["the JS SDK", sdk],
] as const) {
  describe(`${name} finds credentials`, () => {
    const sources: readonly (readonly [source: string, chosen: () => Environment, session: string])[] = [
      ["in a profile with a role", () => ({ AWS_PROFILE: "plain" }), "deployer/plain"],
      ["in a profile on top of another", () => ({ AWS_PROFILE: "chained" }), "deployer/chained"],
      ["in a profile with a web identity", () => ({ AWS_PROFILE: "pod" }), "pod/profile"],
      ["in what a program prints", () => ({ AWS_PROFILE: "printed" }), "deployer/printed"],
      ["in the environment of a web identity", webIdentity, "pod/environment"],
    ];
    for (const [source, chosen, session] of sources) {
      it(source, async () => {
        const ran = await client(chosen());
        assert.equal(ran.stdout, `arn:aws:sts::${account}:assumed-role/${session}`, ran.stderr);
      });
    }

    it("nowhere without the MFA code that a role asks for", async () => {
      const { status, stderr } = await client({ AWS_PROFILE: "careless" });
      assert.notEqual(status, 0);
      assert.match(stderr, /is not authorized to perform: sts:AssumeRole on resource: .*:role\/careful/);
    });

    it("not with a token of a web identity that is none", async () => {
      await writeFile(join(folder, "stale"), "not.a.token");
      const stale = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, "stale"), AWS_ROLE_SESSION_NAME: "stale" };
      const { status, stderr } = await client({ ...webIdentity(), ...stale });
      assert.notEqual(status, 0);
      assert.match(stderr, /InvalidIdentityToken|The ID Token provided is not a valid JWT/);
    });
  });
}

describe("the aws CLI under AWS's own names", () => {
  for (const AWS_PROFILE of ["chained", "pod"]) {
    it(`finds credentials in the profile ${AWS_PROFILE}`, async () => {
      const HOME = join(folder, "elsewhere"); // where nothing is kept from before
      const ran = await cli({ AWS_PROFILE, HOME, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" });
      assert.match(ran.stdout, /:assumed-role\/(deployer\/chained|pod\/profile)$/, ran.stderr);
    });
  }
});

describe("the aws CLI asks for an MFA code", () => {
  it("where the profile names the device, and keeps the session that it got", async () => {
    const first = await cli({ AWS_PROFILE: "careful" }, `${code(0)}\n`);
    const expected = `arn:aws:sts::${account}:assumed-role/careful/careful`;
    assert.equal(first.stdout.split("\n").at(-1), expected, first.stderr);
    const second = await cli({ AWS_PROFILE: "careful" });
    assert.equal(second.stdout.split("\n").at(-1), expected, "without another code");
  });
});
