import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { IamIdentities } from "../identities.ts";
import { Authenticator, anEnabledDevice, aUser, clientOf, iamSystem, policy, trust } from "../testing.ts";

const START = new Date("2026-01-02T03:04:05Z");
const WRONG_CODES = {
  name: "InvalidAuthenticationCodeException",
  message: "Authentication code for device is not valid.",
};
const serial = (name: string) => `arn:aws:iam::${ACCOUNT}:mfa/${name}`;
const later = (system: TestSystem, seconds: number) => system.setNow(new Date(START.getTime() + seconds * 1000));

async function start(): Promise<TestSystem> {
  const system = await iamSystem();
  system.setNow(START);
  return system;
}

async function aDevice(system: TestSystem, VirtualMFADeviceName: string): Promise<Authenticator> {
  const created = await system.root.send(new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }));
  return new Authenticator(created.VirtualMFADevice!);
}

function enable(system: TestSystem, UserName: string, device: Authenticator, [first, second]: readonly string[]) {
  return system.root.send(
    new sdk.EnableMFADeviceCommand({
      UserName,
      SerialNumber: device.serialNumber,
      AuthenticationCode1: first,
      AuthenticationCode2: second,
    }),
  );
}

test("a device is made, enabled with two codes in a row, listed, deactivated and deleted", async () => {
  await using system = await start();
  const { root } = system;
  await aUser(system, "dev");
  const create = new sdk.CreateVirtualMFADeviceCommand({
    VirtualMFADeviceName: "phone",
    Path: "/team/",
    Tags: [{ Key: "a", Value: "1" }],
  });
  const { VirtualMFADevice } = await root.send(create);
  assert.equal(VirtualMFADevice?.SerialNumber, serial("team/phone"));
  assert.deepEqual(VirtualMFADevice?.Tags, [{ Key: "a", Value: "1" }]);
  assert.match(Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString(), /^[A-Z2-7]{64}$/);
  assert.equal(Buffer.from(VirtualMFADevice!.QRCodePNG!).subarray(1, 4).toString(), "PNG");
  await assert.rejects(root.send(create), {
    name: "EntityAlreadyExistsException",
    message: "MFADevice entity at the same path and name already exists.",
  });
  const device = new Authenticator(VirtualMFADevice!);

  const [first, second, third] = device.codes(START, -1, 3);
  await assert.rejects(enable(system, "dev", device, [second!, first!]), WRONG_CODES);
  await assert.rejects(enable(system, "dev", device, [first!, third!]), WRONG_CODES);
  await assert.rejects(enable(system, "dev", device, [first!, first!]), WRONG_CODES);
  await enable(system, "dev", device, [first!, second!]);
  await assert.rejects(enable(system, "dev", device, [second!, third!]), { name: "EntityAlreadyExistsException" });

  const MFADevices = [{ UserName: "dev", SerialNumber: serial("team/phone"), EnableDate: START }];
  assert.deepEqual((await root.send(new sdk.ListMFADevicesCommand({ UserName: "dev" }))).MFADevices, MFADevices);
  const names = { UserName: "dev", SerialNumber: serial("team/phone") };
  const got = await root.send(new sdk.GetMFADeviceCommand(names));
  assert.deepEqual([got.UserName, got.SerialNumber, got.EnableDate], ["dev", serial("team/phone"), START]);
  await assert.rejects(root.send(new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber: serial("team/phone") })), {
    name: "DeleteConflictException",
    message: "MFA VirtualDevice in use. Must deactivate first.",
  });
  await root.send(new sdk.DeleteAccessKeyCommand({ UserName: "dev", AccessKeyId: await keyOf(system, "dev") }));
  await assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "dev" })), {
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete MFA device first.",
  });
  await root.send(new sdk.DeactivateMFADeviceCommand(names));
  const gone = { name: "NoSuchEntityException", message: "MFA Device invalid for user." };
  await assert.rejects(root.send(new sdk.DeactivateMFADeviceCommand(names)), gone);
  await assert.rejects(root.send(new sdk.GetMFADeviceCommand(names)), gone);
  await assert.rejects(enable(system, "dev", device, [first!, second!]), WRONG_CODES, "used codes stay used");
  await root.send(new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber: serial("team/phone") }));
  await assert.rejects(root.send(new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber: serial("team/phone") })), {
    name: "NoSuchEntityException",
    message: `VirtualMFADevice with serial number ${serial("team/phone")} does not exist.`,
  });
  await root.send(new sdk.DeleteUserCommand({ UserName: "dev" }));
});

async function keyOf(system: TestSystem, UserName: string): Promise<string> {
  const { AccessKeyMetadata } = await system.root.send(new sdk.ListAccessKeysCommand({ UserName }));
  return AccessKeyMetadata![0]!.AccessKeyId!;
}

test("lists come in pages, by whether a device is somebody's", async () => {
  await using system = await start();
  const { root } = system;
  await root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  for (const name of ["a", "c"]) await anEnabledDevice(system, "dev", name);
  await aDevice(system, "b");
  const list = async (input: sdk.ListVirtualMFADevicesCommandInput) => {
    const { VirtualMFADevices, ...rest } = await root.send(new sdk.ListVirtualMFADevicesCommand(input));
    return { devices: VirtualMFADevices!, ...rest };
  };
  const all = await list({});
  assert.deepEqual(
    all.devices.map(({ SerialNumber, User }) => [SerialNumber, User?.UserName]),
    [
      [serial("a"), "dev"],
      [serial("b"), undefined],
      [serial("c"), "dev"],
    ],
  );
  assert.ok(all.devices.every(({ Base32StringSeed, QRCodePNG }) => !Base32StringSeed && !QRCodePNG));
  assert.deepEqual((await list({ AssignmentStatus: "Unassigned" })).devices, [{ SerialNumber: serial("b") }]);
  const first = await list({ AssignmentStatus: "Assigned", MaxItems: 1 });
  assert.deepEqual([first.devices[0]?.SerialNumber, first.IsTruncated], [serial("a"), true]);
  const second = await list({ AssignmentStatus: "Assigned", MaxItems: 1, Marker: first.Marker });
  assert.deepEqual([second.devices[0]?.SerialNumber, second.IsTruncated], [serial("c"), false]);
  const own = await root.send(new sdk.ListMFADevicesCommand({ UserName: "dev", MaxItems: 1 }));
  assert.deepEqual([own.MFADevices?.length, own.IsTruncated], [1, true]);
});

test("a user has at most eight devices", async () => {
  await using system = await start();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  for (let index = 0; index < 8; index++) await anEnabledDevice(system, "dev", `d${index}`);
  await assert.rejects(anEnabledDevice(system, "dev", "d8"), {
    name: "LimitExceededException",
    message: "Cannot exceed quota for MFADevicesPerUser: 8",
  });
});

test("devices are their account's alone, and go along with a renamed user", async () => {
  await using system = await start();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  const device = await anEnabledDevice(system, "dev", "phone");
  await system.root.send(new sdk.UpdateUserCommand({ UserName: "dev", NewUserName: "ops" }));
  const { MFADevices } = await system.root.send(new sdk.ListMFADevicesCommand({ UserName: "ops" }));
  assert.equal(MFADevices?.[0]?.SerialNumber, device.serialNumber);
  const other = system.client(rootPrincipal("444455556666"), { accountId: "444455556666", region: REGION });
  assert.deepEqual((await other.send(new sdk.ListVirtualMFADevicesCommand({}))).VirtualMFADevices, []);
  for (const command of [
    new sdk.ListMFADeviceTagsCommand({ SerialNumber: device.serialNumber }),
    new sdk.DeleteVirtualMFADeviceCommand({ SerialNumber: device.serialNumber }),
  ]) {
    await assert.rejects(other.send(command as sdk.ListMFADeviceTagsCommand), /AccessDenied|NoSuchEntity/);
  }
});

test("devices have tags", async () => {
  await using system = await start();
  const { root } = system;
  const { serialNumber: SerialNumber } = await aDevice(system, "phone");
  const Tags = [
    { Key: "b", Value: "2" },
    { Key: "a", Value: "1" },
  ];
  await root.send(new sdk.TagMFADeviceCommand({ SerialNumber, Tags }));
  const first = await root.send(new sdk.ListMFADeviceTagsCommand({ SerialNumber, MaxItems: 1 }));
  assert.deepEqual([first.Tags, first.IsTruncated], [[{ Key: "a", Value: "1" }], true]);
  await root.send(new sdk.UntagMFADeviceCommand({ SerialNumber, TagKeys: ["a"] }));
  assert.deepEqual((await root.send(new sdk.ListMFADeviceTagsCommand({ SerialNumber }))).Tags, [Tags[0]]);
  const missing = new sdk.TagMFADeviceCommand({ SerialNumber: serial("none"), Tags });
  await assert.rejects(root.send(missing), { name: "NoSuchEntityException" });
});

const MFA_ONLY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: ["iam:ListUsers", "sts:AssumeRole"], Resource: "*" },
    {
      Effect: "Allow",
      Action: "iam:ListRoles",
      Resource: "*",
      Condition: {
        Bool: { "aws:MultiFactorAuthPresent": "true" },
        NumericLessThan: { "aws:MultiFactorAuthAge": "300" },
      },
    },
    {
      Effect: "Deny",
      Action: "iam:ListUsers",
      Resource: "*",
      Condition: { Bool: { "aws:MultiFactorAuthPresent": "false" } },
    },
  ],
});

test("GetSessionToken takes a code once, and its session says so for as long as a policy wants", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev", MFA_ONLY);
  const device = await anEnabledDevice(system, "dev", "phone");
  await client.send(new sdk.ListUsersCommand({}));
  const session = async (input: sts.GetSessionTokenCommandInput) =>
    (await client.send(new sts.GetSessionTokenCommand(input))).Credentials!;

  const without = await clientOf(system, await session({}));
  await assert.rejects(without.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
  await assert.rejects(without.send(new sdk.ListUsersCommand({})), { name: "AccessDenied" }, "present, and false");

  const SerialNumber = device.serialNumber;
  await assert.rejects(session({ SerialNumber }), { message: /must provide both MFA serial number/ });
  const unknown = /unable to validate MFA code\. {2}Please verify your MFA serial number is valid/;
  await assert.rejects(session({ SerialNumber: serial("other"), TokenCode: "123456" }), { message: unknown });
  const [used] = device.codes(START, 0, 1);
  const refused = {
    name: "AccessDenied",
    message: "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
  };
  await assert.rejects(session({ SerialNumber, TokenCode: used }), refused, "the code that enabled the device");
  const [TokenCode] = device.codes(START, 1, 1);
  const withMfa = await clientOf(system, await session({ SerialNumber, TokenCode }));
  await assert.rejects(session({ SerialNumber, TokenCode }), refused, "a replay");
  await withMfa.send(new sdk.ListRolesCommand({}));
  await withMfa.send(new sdk.ListUsersCommand({}));
  later(system, 299);
  await withMfa.send(new sdk.ListRolesCommand({}));
  later(system, 300);
  await assert.rejects(withMfa.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
});

test("a trust policy may want MFA of who assumes the role; the role's session does not have it", async () => {
  await using system = await start();
  const { root } = system;
  const { client } = await aUser(system, "dev", MFA_ONLY);
  const device = await anEnabledDevice(system, "dev", "phone");
  const condition = { Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } } };
  const AssumeRolePolicyDocument = trust(`arn:aws:iam::${ACCOUNT}:root`, {
    ...condition,
    Action: ["sts:AssumeRole", "sts:TagSession"],
  });
  await root.send(new sdk.CreateRoleCommand({ RoleName: "ops", AssumeRolePolicyDocument }));
  const role = { RoleName: "ops", PolicyName: "own", PolicyDocument: MFA_ONLY };
  await root.send(new sdk.PutRolePolicyCommand(role));
  const tagging = policy("Allow", "sts:TagSession");
  await root.send(new sdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "tag", PolicyDocument: tagging }));

  const names = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/ops`, RoleSessionName: "one" };
  await assert.rejects(client.send(new sts.AssumeRoleCommand(names)), { name: "AccessDenied" });
  const mfa = { SerialNumber: device.serialNumber, TokenCode: device.codes(START, 1, 1)[0] };
  const Tags = [{ Key: "k", Value: "v" }];
  const { Credentials } = await client.send(new sts.AssumeRoleCommand({ ...names, ...mfa, Tags }));
  await assert.rejects(client.send(new sts.AssumeRoleCommand({ ...names, ...mfa })), { message: /one time pass code/ });
  const session = await clientOf(system, Credentials!);
  await assert.rejects(session.send(new sdk.ListRolesCommand({})), { name: "AccessDenied" });
  await assert.rejects(session.send(new sts.AssumeRoleCommand({ ...names, ...mfa })), {
    message: /unable to validate/,
  });
});

test("a code that comes with AssumeRole is checked whatever the role asks for, and counts for a session without MFA", async () => {
  await using system = await start();
  const { root } = system;
  const { client } = await aUser(system, "dev", policy("Allow", "sts:*"));
  const device = await anEnabledDevice(system, "dev", "phone");
  const withMfa = { Bool: { "aws:MultiFactorAuthPresent": "true" } };
  const principal = `arn:aws:iam::${ACCOUNT}:root`;
  const open = new sdk.CreateRoleCommand({ RoleName: "open", AssumeRolePolicyDocument: trust(principal) });
  await root.send(open);
  const guarded = trust(principal, { Condition: withMfa });
  await root.send(new sdk.CreateRoleCommand({ RoleName: "guarded", AssumeRolePolicyDocument: guarded }));
  const assume = (by: typeof client, role: string, TokenCode?: string) =>
    by.send(
      new sts.AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        RoleSessionName: "one",
        ...(TokenCode && { SerialNumber: device.serialNumber, TokenCode }),
      }),
    );
  const [code] = device.codes(START, 1, 1);
  const wrong = code === "000000" ? "000001" : "000000";
  await assert.rejects(assume(client, "open", wrong), { message: /one time pass code/ });
  await assume(client, "open");
  const { Credentials } = await client.send(new sts.GetSessionTokenCommand({}));
  const session = await clientOf(system, Credentials!);
  await assert.rejects(assume(session, "guarded"), { name: "AccessDenied" });
  await assume(session, "guarded", code);
});

test("a session of GetSessionToken with MFA assumes such a role without another code", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev", MFA_ONLY);
  const device = await anEnabledDevice(system, "dev", "phone");
  const AssumeRolePolicyDocument = trust(`arn:aws:iam::${ACCOUNT}:root`, {
    Condition: { NumericLessThan: { "aws:MultiFactorAuthAge": "3600" } },
  });
  await system.root.send(new sdk.CreateRoleCommand({ RoleName: "ops", AssumeRolePolicyDocument }));
  const mfa = { SerialNumber: device.serialNumber, TokenCode: device.codes(START, 1, 1)[0] };
  const { Credentials } = await client.send(new sts.GetSessionTokenCommand(mfa));
  const session = await clientOf(system, Credentials!);
  const names = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/ops`, RoleSessionName: "one" };
  await session.send(new sts.AssumeRoleCommand(names));
});

test("a device that has gone wrong is brought back into step", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev");
  const device = await anEnabledDevice(system, "dev", "phone");
  const SerialNumber = device.serialNumber;
  const session = (TokenCode: string | undefined) =>
    client.send(new sts.GetSessionTokenCommand({ SerialNumber, TokenCode }));
  await assert.rejects(session(device.codes(START, 5, 1)[0]), { message: /one time pass code/ });
  const resync = ([AuthenticationCode1, AuthenticationCode2]: readonly string[]) =>
    system.root.send(
      new sdk.ResyncMFADeviceCommand({ UserName: "dev", SerialNumber, AuthenticationCode1, AuthenticationCode2 }),
    );
  await assert.rejects(resync(device.codes(START, 25, 2)), WRONG_CODES);
  await resync(device.codes(START, 5, 2));
  await assert.rejects(resync(device.codes(START, 5, 2)), WRONG_CODES, "a replay");
  await session(device.codes(START, 7, 1)[0]);
  await assert.rejects(
    system.root.send(
      new sdk.ResyncMFADeviceCommand({
        UserName: "dev",
        SerialNumber: serial("none"),
        AuthenticationCode1: "000000",
        AuthenticationCode2: "000000",
      }),
    ),
    { name: "NoSuchEntityException" },
  );
});

test("who has a device must prove it to add another or take it away, unless it is somebody else's", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev", policy("Allow", "iam:*MFADevice"));
  const spare = await aDevice(system, "spare");
  const names = { UserName: "dev", SerialNumber: spare.serialNumber };
  const [AuthenticationCode1, AuthenticationCode2] = spare.codes(START, -1, 2);
  const add = new sdk.EnableMFADeviceCommand({ ...names, AuthenticationCode1, AuthenticationCode2 });
  const device = await anEnabledDevice(system, "dev", "phone");
  const unproved = {
    name: "AccessDenied",
    message: /^To complete this action, please ensure that you are authenticated/,
  };
  await assert.rejects(client.send(add), unproved);
  const remove = new sdk.DeactivateMFADeviceCommand({ SerialNumber: device.serialNumber });
  await assert.rejects(client.send(remove), unproved);
  const [TokenCode] = device.codes(START, 1, 1);
  const SerialNumber = device.serialNumber;
  const { Credentials } = await client.send(new sts.GetSessionTokenCommand({ SerialNumber, TokenCode }));
  const session = await clientOf(system, Credentials!);
  await session.send(add);
  await session.send(remove);
  await system.root.send(new sdk.DeactivateMFADeviceCommand(names));
  assert.deepEqual((await system.root.send(new sdk.ListMFADevicesCommand({ UserName: "dev" }))).MFADevices, []);
});

test("codes are not looked at for a while after many wrong ones", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev", MFA_ONLY);
  const device = await anEnabledDevice(system, "dev", "phone");
  const attempt = (TokenCode: string) =>
    client.send(new sts.GetSessionTokenCommand({ SerialNumber: device.serialNumber, TokenCode }));
  const wrong = { name: "AccessDenied", message: /invalid MFA one time pass code/ };
  const right = () => device.codes(system.clock.now(), 0, 1)[0]!;
  later(system, 60);
  const other = String((Number(right()) + 500_000) % 1_000_000).padStart(6, "0");
  for (let times = 0; times < 9; times++) await assert.rejects(attempt(other), wrong);
  await attempt(right());
  later(system, 120);
  for (let times = 0; times < 10; times++) await assert.rejects(attempt(other), wrong);
  await assert.rejects(attempt(right()), wrong);
  later(system, 120 + 5 * 60);
  await attempt(right());
});

test("wrong codes are counted by all processes together, and by one that is started again", async () => {
  await using system = await start();
  const { client } = await aUser(system, "dev");
  const device = await anEnabledDevice(system, "dev", "phone");
  const code = (offset: number) => device.codes(START, offset, 1)[0]!;
  const processes = [new IamIdentities(system), new IamIdentities(system)];
  const verdict = (by: IamIdentities, given: string) =>
    by.verifyMfa(client.principal, device.serialNumber, given, system.clock.now(), system.db);
  const wrong = String((Number(code(1)) + 500_000) % 1_000_000).padStart(6, "0");
  for (let times = 0; times < 5; times++) {
    for (const by of processes) assert.equal(await verdict(by, wrong), "wrong-code");
  }
  const restarted = new IamIdentities(system);
  assert.equal(await verdict(restarted, code(1)), "wrong-code");
  later(system, 5 * 60);
  assert.equal(await verdict(restarted, code(10)), "verified");
  for (const by of [...processes, restarted]) await by.stop();
});
