import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { FileAudit } from "#gateway/audit.ts";
import { InProcessClient } from "#gateway/client.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";
import { PasswordHashing, usePasswordHashing } from "../password-hash.ts";
import { aUser, iamSystem } from "../testing.ts";

const violation = (message: string) => ({ name: "PasswordPolicyViolationException", message });
const REUSED = {
  name: "PasswordPolicyViolationException",
  message: "Policy constraint violation with password reuse prevention during password change.",
};

function setPolicy(system: TestSystem, policy: sdk.UpdateAccountPasswordPolicyCommandInput) {
  return system.root.send(new sdk.UpdateAccountPasswordPolicyCommand(policy));
}

async function withPassword(system: TestSystem, UserName: string, Password: string) {
  const user = await aUser(system, UserName);
  await system.root.send(new sdk.CreateLoginProfileCommand({ UserName, Password }));
  return user;
}

/** Of all users. */
async function storedHashes({ db }: TestSystem): Promise<string[]> {
  const tables = db.withTables<{ iam_login_profiles: { password_hashes: string } }>();
  const rows = await tables.selectFrom("iam_login_profiles").select("password_hashes").execute();
  return rows.flatMap(({ password_hashes }) => JSON.parse(password_hashes) as string[]);
}

test("a password is given, read about, changed and taken away, and is nowhere in clear", async () => {
  await using system = await iamSystem();
  const { root } = system;
  system.setNow(new Date("2026-01-02T03:04:05Z"));
  await aUser(system, "dev");
  const missing = { name: "NoSuchEntityException", message: "Login Profile for User dev cannot be found." };
  await assert.rejects(root.send(new sdk.GetLoginProfileCommand({ UserName: "dev" })), missing);
  const create = new sdk.CreateLoginProfileCommand({
    UserName: "DEV",
    Password: "Tr0ub4dor",
    PasswordResetRequired: true,
  });
  const LoginProfile = { UserName: "dev", CreateDate: new Date("2026-01-02T03:04:05Z"), PasswordResetRequired: true };
  assert.deepEqual((await root.send(create)).LoginProfile, LoginProfile);
  assert.deepEqual((await root.send(new sdk.GetLoginProfileCommand({ UserName: "dev" }))).LoginProfile, LoginProfile);
  await assert.rejects(root.send(create), {
    name: "EntityAlreadyExistsException",
    message: "Login Profile for user dev already exists.",
  });
  await root.send(new sdk.UpdateLoginProfileCommand({ UserName: "dev", PasswordResetRequired: false }));
  const read = await root.send(new sdk.GetLoginProfileCommand({ UserName: "dev" }));
  assert.equal(read.LoginProfile?.PasswordResetRequired, false);
  const [stored = "", ...more] = await storedHashes(system);
  assert.match(stored, /^scrypt\$1024\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
  assert.deepEqual(more, []);
  await root.send(new sdk.DeleteLoginProfileCommand({ UserName: "dev" }));
  await assert.rejects(root.send(new sdk.DeleteLoginProfileCommand({ UserName: "dev" })), missing);
  await assert.rejects(
    root.send(new sdk.UpdateLoginProfileCommand({ UserName: "dev", Password: "Tr0ub4dor" })),
    missing,
  );
});

test("without a policy of its own the account has AWS's default one", async () => {
  await using system = await iamSystem();
  await aUser(system, "dev");
  const create = (Password: string) =>
    system.root.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password }));
  for (const [weak, message] of [
    ["Ab1!", "Password should have a minimum length of 8"],
    [
      "abcdefgh12",
      "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol",
    ],
    [
      ACCOUNT,
      /^Password should meet 2 more of the following requirements: .* uppercase letter, .* lowercase letter, .* symbol$/,
    ],
    ["ab1", /^Password should have a minimum length of 8, Password should meet 1 more/],
  ] as const) {
    await assert.rejects(create(weak), { name: "PasswordPolicyViolationException", message }, weak);
  }
  await system.root.send(new sdk.CreateAccountAliasCommand({ AccountAlias: "acme-2026" }));
  await assert.rejects(create("acme-2026"), violation("Password does not conform to the account password policy."));
  await assert.rejects(create("Łódź-2026"), { name: "ValidationError" });
  await assert.rejects(create("a".repeat(129)), { name: "ValidationError" });
  await create("abcdefG1");
});

test("the account's policy is put whole, kept to, and deleted", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const get = () => root.send(new sdk.GetAccountPasswordPolicyCommand({}));
  const missing = {
    name: "NoSuchEntityException",
    message: `The Password Policy with domain name ${ACCOUNT} cannot be found.`,
  };
  await assert.rejects(get(), missing);
  await assert.rejects(root.send(new sdk.DeleteAccountPasswordPolicyCommand({})), missing);
  await setPolicy(system, { MinimumPasswordLength: 10, RequireSymbols: true, MaxPasswordAge: 90, HardExpiry: true });
  assert.deepEqual((await get()).PasswordPolicy, {
    MinimumPasswordLength: 10,
    RequireSymbols: true,
    RequireNumbers: false,
    RequireUppercaseCharacters: false,
    RequireLowercaseCharacters: false,
    AllowUsersToChangePassword: false,
    ExpirePasswords: true,
    MaxPasswordAge: 90,
    HardExpiry: true,
  });
  await aUser(system, "dev");
  const create = (Password: string) => root.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password }));
  await assert.rejects(create("abcdefghij"), violation("Password should have at least one symbol"));
  await assert.rejects(create("abcdefgh!"), violation("Password should have a minimum length of 10"));
  await create("abcdefghi!");
  const update = (Password: string) => root.send(new sdk.UpdateLoginProfileCommand({ UserName: "dev", Password }));
  for (const [required, without, lacking] of [
    [{ RequireNumbers: true }, "abcdefG!", "number"],
    [{ RequireUppercaseCharacters: true }, "abcdefg1!", "uppercase letter"],
    [{ RequireLowercaseCharacters: true }, "ABCDEFG1!", "lowercase letter"],
  ] as const) {
    await setPolicy(system, required);
    assert.equal((await get()).PasswordPolicy?.MinimumPasswordLength, 6, "what is not given reverts to its default");
    await assert.rejects(update(without), violation(`Password should have at least one ${lacking}`));
    await update(`${without}1Aa`);
  }
  await assert.rejects(setPolicy(system, { MinimumPasswordLength: 5 }), { name: "ValidationError" });
  await root.send(new sdk.DeleteAccountPasswordPolicyCommand({}));
  await assert.rejects(get(), missing);
});

test("users change their own password where a policy lets them, and know the old one", async () => {
  await using system = await iamSystem();
  const { client } = await withPassword(system, "dev", "First-pass1");
  const change = (OldPassword: string, NewPassword: string) =>
    client.send(new sdk.ChangePasswordCommand({ OldPassword, NewPassword }));
  await assert.rejects(change("First-pass1", "Second-pass2"), { name: "AccessDenied" });
  await setPolicy(system, { AllowUsersToChangePassword: true, MinimumPasswordLength: 8 });
  await client.send(new sdk.GetAccountPasswordPolicyCommand({}));
  await assert.rejects(client.send(new sdk.GetLoginProfileCommand({ UserName: "dev" })), { name: "AccessDenied" });
  await assert.rejects(change("wrong", "Second-pass2"), {
    name: "AccessDenied",
    message: "The old password is incorrect.",
  });
  await assert.rejects(change("First-pass1", "short"), violation("Password should have a minimum length of 8"));
  await change("First-pass1", "Second-pass2");
  await assert.rejects(change("First-pass1", "Third-pass3"), { name: "AccessDenied" });
  await assert.rejects(system.root.send(new sdk.ChangePasswordCommand({ OldPassword: "a", NewPassword: "b" })), {
    name: "InvalidUserTypeException",
  });
  const deny = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Deny", Action: "iam:ChangePassword", Resource: "*" },
  });
  await system.root.send(new sdk.PutUserPolicyCommand({ UserName: "dev", PolicyName: "no", PolicyDocument: deny }));
  await assert.rejects(change("Second-pass2", "Third-pass3"), { name: "AccessDenied" }, "an explicit deny still holds");
});

test("the last passwords are not taken again", async () => {
  await using system = await iamSystem();
  await setPolicy(system, { AllowUsersToChangePassword: true, PasswordReusePrevention: 2 });
  const { client } = await withPassword(system, "dev", "password-1");
  const change = (OldPassword: string, NewPassword: string) =>
    client.send(new sdk.ChangePasswordCommand({ OldPassword, NewPassword }));
  await assert.rejects(change("password-1", "password-1"), REUSED);
  await change("password-1", "password-2");
  await assert.rejects(change("password-2", "password-1"), REUSED);
  await change("password-2", "password-3");
  await change("password-3", "password-1");
  const again = new sdk.UpdateLoginProfileCommand({ UserName: "dev", Password: "password-3" });
  await assert.rejects(system.root.send(again), REUSED);
});

test("a hash from a time of cheaper ones holds, and is renewed when its password is given", async () => {
  await using system = await iamSystem();
  await setPolicy(system, { AllowUsersToChangePassword: true, PasswordReusePrevention: 2 });
  usePasswordHashing(system, new PasswordHashing({ N: 2 ** 9, r: 8, p: 1 }));
  const { client } = await withPassword(system, "dev", "password-1");
  const [cheap] = await storedHashes(system);
  usePasswordHashing(system, new PasswordHashing({ N: 2 ** 10, r: 8, p: 1 }));
  const change = (OldPassword: string, NewPassword: string) =>
    client.send(new sdk.ChangePasswordCommand({ OldPassword, NewPassword }));

  await assert.rejects(change("password-0", "password-2"), { name: "AccessDenied" });
  assert.deepEqual(await storedHashes(system), [cheap], "a wrong password changes nothing");
  await assert.rejects(change("password-1", "password-1"), REUSED);
  const [renewed = "", ...none] = await storedHashes(system);
  assert.match(renewed, /^scrypt\$1024\$/);
  assert.deepEqual(none, []);
  await change("password-1", "password-2");
  assert.equal((await storedHashes(system))[1], renewed, "one that costs enough stays");
  await assert.rejects(change("password-2", "password-1"), REUSED);
});

test("of two changes at once one is told to come again", async () => {
  await using system = await iamSystem();
  await setPolicy(system, { AllowUsersToChangePassword: true });
  const { client } = await withPassword(system, "dev", "password-1");
  const outcomes = await Promise.allSettled(
    ["password-2", "password-3"].map((NewPassword) =>
      client.send(new sdk.ChangePasswordCommand({ OldPassword: "password-1", NewPassword })),
    ),
  );
  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.equal(failed.length, 1);
  // AccessDenied where the first was through before the second had looked at the old password.
  assert.match((failed[0]!.reason as Error).name, /^(EntityTemporarilyUnmodifiableException|AccessDenied)$/);
});

test("a renamed user keeps its password, one made anew has none", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  await root.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password: "Tr0ub4dor" }));
  await root.send(new sdk.UpdateUserCommand({ UserName: "dev", NewUserName: "ops" }));
  assert.equal((await root.send(new sdk.GetLoginProfileCommand({ UserName: "ops" }))).LoginProfile?.UserName, "ops");
  await assert.rejects(root.send(new sdk.DeleteUserCommand({ UserName: "ops" })), {
    name: "DeleteConflictException",
    message: "Cannot delete entity, must delete login profile first.",
  });
  await root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  await assert.rejects(root.send(new sdk.GetLoginProfileCommand({ UserName: "dev" })), {
    name: "NoSuchEntityException",
  });
});

test("the audit trail has no password", async () => {
  await using system = await iamSystem();
  const trail = new FileAudit(join(system.config.dataDir, "audit"), (error) => assert.fail(String(error)));
  const client = new InProcessClient({ ...system, audit: trail }, system.registry, system.root.principal, {
    accountId: ACCOUNT,
    region: REGION,
  });
  await client.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  await client.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password: "Tr0ub4dor-one" }));
  await client.send(new sdk.UpdateLoginProfileCommand({ UserName: "dev", Password: "Tr0ub4dor-two" }));
  const change = new sdk.ChangePasswordCommand({ OldPassword: "Tr0ub4dor-two", NewPassword: "Tr0ub4dor-new" });
  await assert.rejects(client.send(change));
  await trail.flush();
  const [file = ""] = await readdir(join(system.config.dataDir, "audit"));
  const written = await readFile(join(system.config.dataDir, "audit", file), "utf8");
  assert.equal(written.match(/"eventName":"(Create|Update)LoginProfile"|"eventName":"ChangePassword"/g)?.length, 3);
  assert.doesNotMatch(written, /Tr0ub4dor/);
});

test("a password that cannot be one is not repeated", async () => {
  await using system = await iamSystem();
  await system.root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  const Password = "Zürich-2026";
  await assert.rejects(
    system.root.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password: `${Password}\u4e00` })),
    {
      name: "ValidationError",
      message:
        /^1 validation error detected: Value at 'password' failed to satisfy constraint: Member must satisfy regular/,
    },
  );
});
