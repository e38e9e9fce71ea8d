import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { rootPrincipal } from "#gateway/context.ts";
import { type CertificateWithKey, newAuthorityPem, newLeaf, newPrivateKeyPem } from "#gateway/tls-certificates.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { toSsh } from "../public-keys.ts";
import { aUser, iamSystem, policy } from "../testing.ts";

const NOW = new Date();
NOW.setMilliseconds(0);

async function start(...users: string[]): Promise<TestSystem> {
  const system = await iamSystem();
  system.setNow(NOW);
  for (const UserName of users) await system.root.send(new sdk.CreateUserCommand({ UserName }));
  return system;
}

function stranger(system: TestSystem) {
  return system.client(rootPrincipal("444455556666"), { accountId: "444455556666", region: REGION });
}

function rsaKey(modulusLength = 2048): KeyObject {
  return generateKeyPairSync("rsa", { modulusLength }).publicKey;
}

async function anAuthority(): Promise<CertificateWithKey> {
  const privateKeyPem = await newPrivateKeyPem();
  return { privateKeyPem, certificatePem: await newAuthorityPem(privateKeyPem) };
}

/** As `ssh-keygen -lE md5` shows it, worked out from the text alone. */
function md5Of(ssh: string): string {
  const digest = createHash("md5").update(Buffer.from(ssh.split(" ")[1]!, "base64"));
  return digest.digest("hex").replace(/(..)(?=.)/g, "$1:");
}

test("an SSH key is known in both encodings, whichever it came in", async () => {
  await using system = await start("dev");
  const { root } = system;
  const key = rsaKey();
  const [ssh, pem] = [toSsh(key), key.export({ type: "spki", format: "pem" }).toString()];
  const upload = (SSHPublicKeyBody: string) =>
    root.send(new sdk.UploadSSHPublicKeyCommand({ UserName: "dev", SSHPublicKeyBody }));
  const { SSHPublicKey } = await upload(`${ssh} dev@laptop`);
  assert.match(SSHPublicKey!.SSHPublicKeyId!, /^APKA[A-Z2-7]{17}$/);
  assert.deepEqual(SSHPublicKey, {
    UserName: "dev",
    SSHPublicKeyId: SSHPublicKey!.SSHPublicKeyId,
    Fingerprint: md5Of(ssh),
    SSHPublicKeyBody: `${ssh} dev@laptop`,
    Status: "Active",
    UploadDate: NOW,
  });
  const names = { UserName: "dev", SSHPublicKeyId: SSHPublicKey!.SSHPublicKeyId };
  const get = async (Encoding: sdk.EncodingType) =>
    (await root.send(new sdk.GetSSHPublicKeyCommand({ ...names, Encoding }))).SSHPublicKey?.SSHPublicKeyBody;
  assert.deepEqual([await get("SSH"), await get("PEM")], [ssh, pem]);
  await assert.rejects(upload(pem), { name: "DuplicateSSHPublicKeyException" });
  assert.equal(
    (await upload(rsaKey().export({ type: "pkcs1", format: "pem" }).toString())).SSHPublicKey?.Status,
    "Active",
  );

  await root.send(new sdk.UpdateSSHPublicKeyCommand({ ...names, Status: "Inactive" }));
  await assert.rejects(root.send(new sdk.UpdateSSHPublicKeyCommand({ ...names, Status: "Expired" })), {
    name: "InvalidInputException",
  });
  const { SSHPublicKeys } = await root.send(new sdk.ListSSHPublicKeysCommand({ UserName: "dev" }));
  assert.deepEqual(SSHPublicKeys?.map(({ Status }) => Status).toSorted(), ["Active", "Inactive"]);
  await assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "dev" })), {
    message: "Cannot delete entity, must remove referenced objects first.",
  });
  await root.send(new sdk.DeleteSSHPublicKeyCommand(names));
  await assert.rejects(root.send(new sdk.DeleteSSHPublicKeyCommand(names)), {
    name: "NoSuchEntityException",
    message: `The SSH Public Key with id ${names.SSHPublicKeyId} cannot be found.`,
  });
});

test("what is no RSA key of 2048 bits or more is refused, and a sixth one", async () => {
  await using system = await start("dev", "other");
  const upload = (SSHPublicKeyBody: string, UserName = "dev") =>
    system.root.send(new sdk.UploadSSHPublicKeyCommand({ UserName, SSHPublicKeyBody }));
  const key = rsaKey();
  const blob = toSsh(key).split(" ")[1]!;
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
  for (const [body, name] of [
    ["hello", "UnrecognizedPublicKeyEncodingException"],
    ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGw", "UnrecognizedPublicKeyEncodingException"],
    ["ssh-rsa", "InvalidPublicKeyException"],
    [`ssh-rsa ${blob.slice(0, 40)}`, "InvalidPublicKeyException"],
    [`ssh-rsa ${Buffer.from(`${blob}x`).toString("base64")}`, "InvalidPublicKeyException"],
    ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "InvalidPublicKeyException"],
    [p256.export({ type: "spki", format: "pem" }).toString(), "InvalidPublicKeyException"],
    [toSsh(rsaKey(1024)), "InvalidPublicKeyException"],
  ] as const) {
    await assert.rejects(upload(body), { name }, body);
  }
  for (let index = 0; index < 5; index++) await upload(toSsh(index === 0 ? key : rsaKey()));
  await assert.rejects(upload(toSsh(rsaKey())), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for SSHPublicKeysPerUser: 5",
  });
  await upload(toSsh(key), "other");
  const first = await system.root.send(new sdk.ListSSHPublicKeysCommand({ UserName: "dev", MaxItems: 3 }));
  const second = await system.root.send(
    new sdk.ListSSHPublicKeysCommand({ UserName: "dev", MaxItems: 3, Marker: first.Marker }),
  );
  assert.deepEqual([first.SSHPublicKeys?.length, second.SSHPublicKeys?.length, second.IsTruncated], [3, 2, false]);
  const foreign = {
    UserName: "other",
    SSHPublicKeyId: first.SSHPublicKeys![0]!.SSHPublicKeyId,
    Encoding: "SSH",
  } as const;
  await assert.rejects(system.root.send(new sdk.GetSSHPublicKeyCommand(foreign)), { name: "NoSuchEntityException" });
});

test("a server certificate is taken whole, found by name, renamed, tagged and deleted", async () => {
  await using system = await start();
  const { root } = system;
  const authority = await anAuthority();
  const leaf = await newLeaf("example.com", authority);
  const upload = new sdk.UploadServerCertificateCommand({
    ServerCertificateName: "site",
    Path: "/web/",
    CertificateBody: leaf.certificatePem,
    PrivateKey: leaf.privateKeyPem,
    CertificateChain: authority.certificatePem,
    Tags: [{ Key: "a", Value: "1" }],
  });
  const { ServerCertificateMetadata: metadata, Tags } = await root.send(upload);
  assert.match(metadata!.ServerCertificateId!, /^ASCA[A-Z2-7]{17}$/);
  assert.ok(metadata!.Expiration! > NOW);
  assert.deepEqual(Tags, [{ Key: "a", Value: "1" }]);
  assert.equal(metadata?.Arn, `arn:aws:iam::${ACCOUNT}:server-certificate/web/site`);
  await assert.rejects(root.send(upload), {
    name: "EntityAlreadyExistsException",
    message: "The Server Certificate with name site already exists.",
  });
  const named = (name: string) => ({ ServerCertificateName: name });
  const { ServerCertificate } = await root.send(new sdk.GetServerCertificateCommand(named("SITE")));
  assert.deepEqual(ServerCertificate, {
    ServerCertificateMetadata: metadata,
    CertificateBody: leaf.certificatePem,
    CertificateChain: authority.certificatePem,
    Tags: [{ Key: "a", Value: "1" }],
  });
  const stored = await system.db
    .withTables<{ iam_server_certificates: { sealed_private_key: string } }>()
    .selectFrom("iam_server_certificates")
    .select("sealed_private_key")
    .execute();
  assert.equal(system.cipher.open("server-certificate", stored[0]!.sealed_private_key)?.toString(), leaf.privateKeyPem);

  await root.send(
    new sdk.UpdateServerCertificateCommand({ ...named("site"), NewServerCertificateName: "shop", NewPath: "/" }),
  );
  const missing = { name: "NoSuchEntityException", message: "The Server Certificate with name site cannot be found." };
  await assert.rejects(root.send(new sdk.GetServerCertificateCommand(named("site"))), missing);
  await root.send(new sdk.TagServerCertificateCommand({ ...named("shop"), Tags: [{ Key: "b", Value: "2" }] }));
  await root.send(new sdk.UntagServerCertificateCommand({ ...named("shop"), TagKeys: ["a"] }));
  const tags = await root.send(new sdk.ListServerCertificateTagsCommand(named("shop")));
  assert.deepEqual(tags.Tags, [{ Key: "b", Value: "2" }]);
  const list = async (PathPrefix: string) =>
    (await root.send(new sdk.ListServerCertificatesCommand({ PathPrefix }))).ServerCertificateMetadataList;
  assert.deepEqual(
    (await list("/"))?.map(({ Arn }) => Arn),
    [`arn:aws:iam::${ACCOUNT}:server-certificate/shop`],
  );
  assert.deepEqual(await list("/web/"), []);
  await assert.rejects(stranger(system).send(new sdk.GetServerCertificateCommand(named("shop"))), {
    name: "NoSuchEntityException",
  });
  await root.send(new sdk.DeleteServerCertificateCommand(named("shop")));
  await assert.rejects(root.send(new sdk.DeleteServerCertificateCommand(named("shop"))), {
    name: "NoSuchEntityException",
  });
});

test("a certificate, key or chain that does not fit is refused and nothing is kept", async () => {
  await using system = await start();
  const authority = await anAuthority();
  const other = await anAuthority();
  const leaf = await newLeaf("example.com", authority);
  const good = { CertificateBody: leaf.certificatePem, PrivateKey: leaf.privateKeyPem };
  const unparsable = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
  for (const [changes, name, message] of [
    [{ CertificateBody: "hello" }, "MalformedCertificateException", unparsable],
    [{ CertificateBody: leaf.certificatePem.repeat(2) }, "MalformedCertificateException", unparsable],
    [{ CertificateBody: `${leaf.certificatePem}more` }, "MalformedCertificateException", unparsable],
    [{ PrivateKey: "hello" }, "MalformedCertificateException", "Invalid Private Key."],
    [{ PrivateKey: other.privateKeyPem }, "KeyPairMismatchException", /private key does not match/],
    [{ CertificateChain: "hello" }, "MalformedCertificateException", unparsable],
    [{ CertificateChain: other.certificatePem }, "MalformedCertificateException", /invalid certificate is: 0$/],
    [
      { CertificateChain: authority.certificatePem + other.certificatePem },
      "MalformedCertificateException",
      /invalid certificate is: 1$/,
    ],
  ] as const) {
    const input = { ServerCertificateName: "site", ...good, ...changes };
    await assert.rejects(system.root.send(new sdk.UploadServerCertificateCommand(input)), { name, message });
  }
  const { ServerCertificateMetadataList } = await system.root.send(new sdk.ListServerCertificatesCommand({}));
  assert.deepEqual(ServerCertificateMetadataList, []);
  for (let index = 0; index < 20; index++) {
    const ServerCertificateName = `c${index}`;
    await system.root.send(new sdk.UploadServerCertificateCommand({ ServerCertificateName, ...good }));
  }
  const last = new sdk.UploadServerCertificateCommand({ ServerCertificateName: "c20", ...good });
  await assert.rejects(system.root.send(last), { name: "LimitExceededException" });
});

test("users have two signing certificates, no one's else", async () => {
  await using system = await start("dev", "other");
  const { root } = system;
  const [first, second, third] = await Promise.all([anAuthority(), anAuthority(), anAuthority()]);
  const upload = (UserName: string, certificate: CertificateWithKey) =>
    root.send(new sdk.UploadSigningCertificateCommand({ UserName, CertificateBody: certificate.certificatePem }));
  const { Certificate } = await upload("dev", first);
  assert.match(Certificate!.CertificateId!, /^[A-Z2-7]{28}$/);
  assert.deepEqual(Certificate, {
    UserName: "dev",
    CertificateId: Certificate!.CertificateId,
    CertificateBody: first.certificatePem,
    Status: "Active",
    UploadDate: NOW,
  });
  await assert.rejects(upload("other", first), { name: "DuplicateCertificateException" });
  await upload("dev", second);
  await assert.rejects(upload("dev", third), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for CertificatesPerUser: 2",
  });
  await assert.rejects(
    root.send(new sdk.UploadSigningCertificateCommand({ UserName: "dev", CertificateBody: "hello" })),
    { name: "MalformedCertificateException" },
  );
  const names = { UserName: "dev", CertificateId: Certificate!.CertificateId };
  await root.send(new sdk.UpdateSigningCertificateCommand({ ...names, Status: "Inactive" }));
  const page = await root.send(new sdk.ListSigningCertificatesCommand({ UserName: "dev", MaxItems: 1 }));
  assert.deepEqual([page.Certificates?.length, page.IsTruncated], [1, true]);
  const foreign = new sdk.DeleteSigningCertificateCommand({ ...names, UserName: "other" });
  await assert.rejects(root.send(foreign), {
    name: "NoSuchEntityException",
    message: `The Certificate with id ${names.CertificateId} cannot be found.`,
  });
  await assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "dev" })), {
    message: "Cannot delete entity, must delete certificates first.",
  });
  for (const { CertificateId } of (await root.send(new sdk.ListSigningCertificatesCommand({ UserName: "dev" })))
    .Certificates!) {
    await root.send(new sdk.DeleteSigningCertificateCommand({ UserName: "dev", CertificateId }));
  }
  await root.send(new sdk.DeleteUserCommand({ UserName: "dev" }));
  system.setNow(new Date(NOW.getTime() + 100 * 365 * 86_400_000));
  await assert.rejects(upload("other", third), { name: "InvalidCertificateException" });
});

test("credentials for one service have a name and a secret that is told once", async () => {
  await using system = await start("other");
  const { root } = system;
  const condition = { StringEquals: { "iam:ServiceSpecificCredentialServiceName": "codecommit.amazonaws.com" } };
  const statement = JSON.parse(policy("Allow", "iam:*ServiceSpecificCredential*")) as { Statement: object[] };
  Object.assign(statement.Statement[0]!, { Condition: condition });
  const { client, accessKeyId } = await aUser(system, "dev", JSON.stringify(statement));
  const create = (ServiceName: string, more: object = {}) =>
    client.send(new sdk.CreateServiceSpecificCredentialCommand({ UserName: "dev", ServiceName, ...more }));
  const { ServiceSpecificCredential: made } = await create("codecommit.amazonaws.com");
  assert.match(made!.ServiceSpecificCredentialId!, /^ACCA[A-Z2-7]{17}$/);
  assert.match(made!.ServicePassword!, /^[\w+/]{43}=$/);
  assert.deepEqual(
    [made!.ServiceUserName, made!.ServiceName, made!.Status, made!.UserName, made!.CreateDate],
    [`dev-at-${ACCOUNT}`, "codecommit.amazonaws.com", "Active", "dev", NOW],
  );
  const second = await create("codecommit.amazonaws.com");
  assert.equal(second.ServiceSpecificCredential?.ServiceUserName, `dev+1-at-${ACCOUNT}`);
  await assert.rejects(create("codecommit.amazonaws.com"), { name: "LimitExceededException" });
  await assert.rejects(create("cassandra.amazonaws.com"), { name: "AccessDenied" }, "the policy is for CodeCommit");

  const names = { ServiceSpecificCredentialId: made!.ServiceSpecificCredentialId };
  const reset = await client.send(new sdk.ResetServiceSpecificCredentialCommand(names));
  assert.equal(reset.ServiceSpecificCredential?.ServiceUserName, made!.ServiceUserName);
  assert.notEqual(reset.ServiceSpecificCredential?.ServicePassword, made!.ServicePassword);
  await client.send(new sdk.UpdateServiceSpecificCredentialCommand({ ...names, Status: "Inactive" }));
  const listed = await root.send(new sdk.ListServiceSpecificCredentialsCommand({ UserName: "dev", MaxItems: 1 }));
  assert.deepEqual([listed.ServiceSpecificCredentials?.length, listed.IsTruncated], [1, true]);
  await root.send(new sdk.UpdateUserCommand({ UserName: "dev", NewUserName: "ops" }));
  const key = { UserName: "other", ServiceName: "bedrock.amazonaws.com", CredentialAgeDays: 2 };
  const { ServiceSpecificCredential: apiKey } = await root.send(new sdk.CreateServiceSpecificCredentialCommand(key));
  assert.deepEqual(apiKey?.ExpirationDate, new Date(NOW.getTime() + 2 * 86_400_000));
  assert.deepEqual([apiKey?.ServicePassword, apiKey?.ServiceUserName], [undefined, undefined]);
  const all = await root.send(new sdk.ListServiceSpecificCredentialsCommand({ AllUsers: true }));
  assert.deepEqual(all.ServiceSpecificCredentials?.map(({ UserName }) => UserName).toSorted(), ["ops", "ops", "other"]);
  assert.ok(all.ServiceSpecificCredentials?.every((each) => !("ServicePassword" in each)));
  const bedrock = { AllUsers: true, ServiceName: "bedrock.amazonaws.com" };
  const some = await root.send(new sdk.ListServiceSpecificCredentialsCommand(bedrock));
  assert.deepEqual(
    some.ServiceSpecificCredentials?.map(({ UserName }) => UserName),
    ["other"],
  );

  for (const [input, name] of [
    [{ ServiceName: "s3.amazonaws.com" }, "ServiceNotSupportedException"],
    [{ ServiceName: "constructor" }, "ServiceNotSupportedException"],
    [{ ServiceName: "codecommit.amazonaws.com", CredentialAgeDays: 1 }, "ValidationError"],
  ] as const) {
    const refused = new sdk.CreateServiceSpecificCredentialCommand({ UserName: "other", ...input });
    await assert.rejects(root.send(refused), { name });
  }
  await assert.rejects(
    stranger(system).send(new sdk.DeleteServiceSpecificCredentialCommand({ UserName: "ops", ...names })),
    {
      name: "NoSuchEntityException",
    },
  );
  await root.send(new sdk.DeleteUserPolicyCommand({ UserName: "ops", PolicyName: "own" }));
  await root.send(new sdk.DeleteAccessKeyCommand({ UserName: "ops", AccessKeyId: accessKeyId }));
  await assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "ops" })), {
    message: "Cannot delete entity, must remove referenced objects first.",
  });
  await root.send(new sdk.DeleteServiceSpecificCredentialCommand({ UserName: "ops", ...names }));
});

test("no two credentials for a service have the same name", async () => {
  await using system = await start();
  const { root } = system;
  const ServiceName = "codecommit.amazonaws.com";
  const create = async (UserName: string) => {
    const command = new sdk.CreateServiceSpecificCredentialCommand({ UserName, ServiceName });
    return (await root.send(command)).ServiceSpecificCredential!.ServiceUserName;
  };
  for (const UserName of ["jane", "jane+1"]) await root.send(new sdk.CreateUserCommand({ UserName }));
  const names = [await create("jane+1"), await create("jane"), await create("jane")];
  await root.send(new sdk.UpdateUserCommand({ UserName: "jane", NewUserName: "jo" }));
  await root.send(new sdk.CreateUserCommand({ UserName: "jane" }));
  names.push(await create("jane"));
  assert.deepEqual(
    names,
    ["jane+1", "jane", "jane+2", "jane+3"].map((name) => `${name}-at-${ACCOUNT}`),
  );
});

test("instance profiles have tags", async () => {
  await using system = await start();
  const { root } = system;
  const names = { InstanceProfileName: "web" };
  await root.send(new sdk.CreateInstanceProfileCommand({ ...names, Tags: [{ Key: "a", Value: "1" }] }));
  await root.send(new sdk.TagInstanceProfileCommand({ ...names, Tags: [{ Key: "a", Value: "2" }] }));
  await root.send(new sdk.TagInstanceProfileCommand({ ...names, Tags: [{ Key: "b", Value: "3" }] }));
  const page = await root.send(new sdk.ListInstanceProfileTagsCommand({ ...names, MaxItems: 1 }));
  assert.deepEqual([page.Tags, page.IsTruncated], [[{ Key: "a", Value: "2" }], true]);
  await root.send(new sdk.UntagInstanceProfileCommand({ ...names, TagKeys: ["a"] }));
  const { InstanceProfile } = await root.send(new sdk.GetInstanceProfileCommand(names));
  assert.deepEqual(InstanceProfile?.Tags, [{ Key: "b", Value: "3" }]);
  // "For example, this operation does not return tags, even though they are an attribute of the returned object."
  const { InstanceProfiles } = await root.send(new sdk.ListInstanceProfilesCommand({}));
  assert.ok(!("Tags" in InstanceProfiles![0]!));
  await assert.rejects(root.send(new sdk.ListInstanceProfileTagsCommand({ InstanceProfileName: "none" })), {
    name: "NoSuchEntityException",
  });
});
