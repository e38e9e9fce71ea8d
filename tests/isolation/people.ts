/** What IAM holds of people and machines beside users: made where this build of IAM has it. */
import { execFileSync } from "node:child_process";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as iam from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import type { Samples } from "./fixture.ts";

/** Samples of what was made; `secrets` gets what nobody else may be told. */
export async function peopleOf(
  system: TestSystem,
  client: Client,
  named: { readonly name: string; readonly listed: string },
  secrets: string[],
): Promise<Samples> {
  const { name, listed } = named;
  const service = system.registry.services.find(({ name: is }) => is === "iam")!;
  await service.load();
  const { operations } = service;
  const isBuilt = (operation: string) => operations.get(operation)?.operation !== undefined;
  const samples: Record<string, readonly unknown[]> = {};
  const user = { UserName: name };
  const { certificate, key } = aCertificate();

  if (isBuilt("CreateLoginProfile")) {
    const Password = "Password-1234!";
    await client.send(new iam.CreateLoginProfileCommand({ ...user, Password }));
    await client.send(new iam.CreateLoginProfileCommand({ Password })); // the caller's own, which it may change
    Object.assign(samples, {
      "iam.CreateLoginProfile.UserName": [listed],
      "iam.Password": [Password],
      OldPassword: [Password],
      NewPassword: ["Password-5678!"],
    });
  }
  if (isBuilt("UpdateAccountPasswordPolicy")) {
    await client.send(new iam.UpdateAccountPasswordPolicyCommand({ MinimumPasswordLength: 11 }));
  }
  if (isBuilt("CreateVirtualMFADevice")) {
    const make = async (VirtualMFADeviceName: string) => {
      const made = await client.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }));
      return made.VirtualMFADevice!;
    };
    const device = await make(name);
    const spare = await make(listed);
    const { SerialNumber } = device;
    const codes = codesOf(device, system.clock.now());
    await client.send(new iam.EnableMFADeviceCommand({ ...user, SerialNumber, ...codes }));
    Object.assign(samples, {
      SerialNumber: [SerialNumber],
      "sts.SerialNumber": [], // with a code that changes
      "iam.EnableMFADevice.SerialNumber": [spare.SerialNumber],
      "iam.DeleteVirtualMFADevice.SerialNumber": [spare.SerialNumber],
      VirtualMFADeviceName: ["fixture-other"],
    });
  }
  if (isBuilt("UploadSSHPublicKey")) {
    const SSHPublicKeyBody = anSshKey();
    const { SSHPublicKey } = await client.send(new iam.UploadSSHPublicKeyCommand({ ...user, SSHPublicKeyBody }));
    secrets.push(SSHPublicKey!.SSHPublicKeyId!);
    Object.assign(samples, { SSHPublicKeyId: [SSHPublicKey!.SSHPublicKeyId], SSHPublicKeyBody: [anSshKey()] });
  }
  if (isBuilt("UploadSigningCertificate")) {
    const command = new iam.UploadSigningCertificateCommand({ ...user, CertificateBody: certificate });
    const { Certificate } = await client.send(command);
    secrets.push(Certificate!.CertificateId!);
    Object.assign(samples, { CertificateId: [Certificate!.CertificateId] });
  }
  if (isBuilt("UploadServerCertificate")) {
    const body = { CertificateBody: certificate, PrivateKey: key };
    for (const ServerCertificateName of [name, listed]) {
      await client.send(new iam.UploadServerCertificateCommand({ ServerCertificateName, ...body }));
    }
    Object.assign(samples, {
      ServerCertificateName: [name],
      NewServerCertificateName: ["fixture-renamed"],
      "iam.UploadServerCertificate.ServerCertificateName": ["fixture-other"],
      CertificateBody: [certificate],
      PrivateKey: [key],
    });
  }
  if (isBuilt("CreateServiceSpecificCredential")) {
    const command = new iam.CreateServiceSpecificCredentialCommand({
      ...user,
      ServiceName: "codecommit.amazonaws.com",
    });
    const { ServiceSpecificCredential: made } = await client.send(command);
    secrets.push(made!.ServiceSpecificCredentialId!);
    if (made!.ServicePassword) secrets.push(made!.ServicePassword);
    Object.assign(samples, {
      ServiceSpecificCredentialId: [made!.ServiceSpecificCredentialId],
      "iam.ServiceName": ["codecommit.amazonaws.com"],
    });
  }
  if (isBuilt("CreateOpenIDConnectProvider")) {
    const Tags = [{ Key: "owner", Value: "fixture" }];
    const create = {
      Url: "https://issuer.example.com/fixture",
      ClientIDList: ["fixture"],
      ThumbprintList: ["a".repeat(40)],
    };
    const made = await client.send(new iam.CreateOpenIDConnectProviderCommand({ ...create, Tags }));
    Object.assign(samples, {
      OpenIDConnectProviderArn: [made.OpenIDConnectProviderArn],
      ClientID: ["fixture"],
      "iam.CreateOpenIDConnectProvider.Url": ["https://issuer.example.com/other"],
      ThumbprintList: [["b".repeat(40)]],
    });
  }
  return samples;
}

function aCertificate(): { certificate: string; key: string } {
  return inFolder((folder) => {
    const [keyFile, file] = [join(folder, "key"), join(folder, "certificate")];
    const subject = ["-subj", "/CN=fixture", "-days", "30"];
    const files = ["-keyout", keyFile, "-out", file];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files], {
      stdio: "ignore",
    });
    execFileSync("openssl", ["rsa", "-in", keyFile, "-traditional", "-out", keyFile], { stdio: "ignore" });
    return { certificate: readFileSync(file, "utf8"), key: readFileSync(keyFile, "utf8") };
  });
}

/** Two codes in a row of RFC 6238. */
function codesOf({ Base32StringSeed }: iam.VirtualMFADevice, now: Date) {
  const bits = [...Buffer.from(Base32StringSeed!).toString().replaceAll("=", "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const seed = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
  const codeAt = (step: number) => {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const digest = createHmac("sha1", seed).update(counter).digest();
    const value = digest.readUInt32BE(digest.at(-1)! & 15) & 0x7fffffff;
    return String(value % 1_000_000).padStart(6, "0");
  };
  const step = Math.floor(now.getTime() / 30_000);
  return { AuthenticationCode1: codeAt(step - 1), AuthenticationCode2: codeAt(step) };
}

/** RFC 4253, section 6.6. */
function anSshKey(): string {
  const { n = "", e = "" } = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const number = (text: string) => Buffer.concat([Buffer.alloc(1), Buffer.from(text, "base64url")]);
  const parts = [Buffer.from("ssh-rsa"), Buffer.from(e, "base64url"), number(n)];
  return `ssh-rsa ${Buffer.concat(parts.map(part)).toString("base64")}`;
}

function inFolder<T>(run: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "slipway-fixture-"));
  try {
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
