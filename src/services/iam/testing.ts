/** What tests of IAM need again and again. */
import * as sdk from "@aws-sdk/client-iam";
import type { Client } from "#gateway/client.ts";
import { sts } from "#services/sts/index.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "./identities.ts";
import { iam } from "./index.ts";
import { PasswordHashing, usePasswordHashing } from "./password-hash.ts";
import { fromBase32, stepAt, totpCode } from "./totp.ts";

/** With IAM's real identities, but passwords that cost little. */
export async function iamSystem(options: { readonly database?: string } = {}): Promise<TestSystem> {
  const system = await testSystem({
    services: [iam, sts],
    identities: (system) => new IamIdentities(system),
    ...options,
  });
  usePasswordHashing(system, new PasswordHashing({ N: 2 ** 10, r: 8, p: 1 }));
  return system;
}

export function policy(effect: "Allow" | "Deny", action: string | string[], resource: string | string[] = "*"): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: effect, Action: action, Resource: resource }],
  });
}

/** A trust policy for services ("codebuild.amazonaws.com") or principals' ARNs. */
export function trust(principal: string, extra: object = {}): string {
  const Principal = principal.endsWith(".amazonaws.com") ? { Service: principal } : { AWS: principal };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole", ...extra }],
  });
}

export function roleArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:role/${name}`;
}

export async function aRole(system: TestSystem, name: string, trusted = "codebuild.amazonaws.com"): Promise<sdk.Role> {
  const command = new sdk.CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust(trusted) });
  return (await system.root.send(command)).Role!;
}

export interface TestUser {
  readonly client: Client;
  readonly accessKeyId: string;
}

/** A user with an access key and one inline policy. */
export async function aUser(system: TestSystem, name: string, document?: string): Promise<TestUser> {
  await system.root.send(new sdk.CreateUserCommand({ UserName: name }));
  if (document !== undefined) {
    const put = new sdk.PutUserPolicyCommand({ UserName: name, PolicyName: "own", PolicyDocument: document });
    await system.root.send(put);
  }
  const { AccessKey } = await system.root.send(new sdk.CreateAccessKeyCommand({ UserName: name }));
  return { client: await clientOf(system, AccessKey!), accessKeyId: AccessKey!.AccessKeyId! };
}

/** Acts with credentials as a request signed with them would. */
export async function clientOf(
  system: TestSystem,
  credentials: { AccessKeyId?: string | undefined; SessionToken?: string | undefined },
): Promise<Client> {
  const { AccessKeyId = "", SessionToken } = credentials;
  const principal = await system.principalOf(
    SessionToken === undefined ? { AccessKeyId } : { AccessKeyId, SessionToken },
  );
  return system.client(principal, { accountId: principal.accountId, region: REGION });
}

/** What people have on their phone. */
export class Authenticator {
  readonly serialNumber: string;
  readonly #seed: Buffer;

  constructor({ SerialNumber = "", Base32StringSeed }: sdk.VirtualMFADevice) {
    this.serialNumber = SerialNumber;
    this.#seed = fromBase32(Buffer.from(Base32StringSeed!).toString());
  }

  /** `count` codes in a row; the first is of the time step `offset` after that of `now`. */
  codes(now: Date, offset: number, count: number): string[] {
    return Array.from({ length: count }, (_, index) => totpCode(this.#seed, stepAt(now) + offset + index));
  }
}

/** Enabled with the codes of the time step before and the current one. */
export async function anEnabledDevice(system: TestSystem, UserName: string, name: string): Promise<Authenticator> {
  const created = await system.root.send(new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: name }));
  const device = new Authenticator(created.VirtualMFADevice!);
  const [AuthenticationCode1, AuthenticationCode2] = device.codes(system.clock.now(), -1, 2);
  const SerialNumber = device.serialNumber;
  await system.root.send(
    new sdk.EnableMFADeviceCommand({ UserName, SerialNumber, AuthenticationCode1, AuthenticationCode2 }),
  );
  return device;
}
