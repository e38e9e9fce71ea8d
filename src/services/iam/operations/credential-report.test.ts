import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { newAuthorityPem, newPrivateKeyPem } from "#gateway/tls-certificates.ts";
import { ACCOUNT, type TestSystem } from "#tests/helpers/test-system.ts";
import { anEnabledDevice, aUser, iamSystem } from "../testing.ts";

const START = "2026-01-02T03:04:05Z";

async function report(system: TestSystem): Promise<Record<string, string>[]> {
  const { Content, ReportFormat } = await system.root.send(new sdk.GetCredentialReportCommand({}));
  assert.equal(ReportFormat, "text/csv");
  const [header = [], ...lines] = Buffer.from(Content!)
    .toString()
    .split("\n")
    .map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(header.map((column, index) => [column, line[index]!])));
}

test("the report has the root user and every user with all their credentials", async () => {
  await using system = await iamSystem();
  const { root } = system;
  system.setNow(new Date(START));
  await root.send(new sdk.UpdateAccountPasswordPolicyCommand({ MaxPasswordAge: 10 }));
  const { accessKeyId } = await aUser(system, "dev");
  await root.send(new sdk.CreateUserCommand({ UserName: "Anna", Path: "/team/" }));
  await root.send(new sdk.CreateLoginProfileCommand({ UserName: "dev", Password: "password-1" }));
  await anEnabledDevice(system, "dev", "phone");
  const CertificateBody = await newAuthorityPem(await newPrivateKeyPem());
  const { Certificate } = await root.send(
    new sdk.UploadSigningCertificateCommand({ UserName: "dev", CertificateBody }),
  );
  const inactive = { UserName: "dev", CertificateId: Certificate!.CertificateId, Status: "Inactive" } as const;
  await root.send(new sdk.UpdateSigningCertificateCommand(inactive));
  system.identities.recordUse?.(accessKeyId, "ecr", "eu-central-1", new Date("2026-01-02T03:05:00Z"));

  await root.send(new sdk.GenerateCredentialReportCommand({}));
  const none = {
    access_key_2_active: "false",
    access_key_2_last_rotated: "N/A",
    access_key_2_last_used_date: "N/A",
    access_key_2_last_used_region: "N/A",
    access_key_2_last_used_service: "N/A",
    cert_2_active: "false",
    cert_2_last_rotated: "N/A",
  };
  const bare = {
    ...none,
    mfa_active: "false",
    access_key_1_active: "false",
    access_key_1_last_rotated: "N/A",
    access_key_1_last_used_date: "N/A",
    access_key_1_last_used_region: "N/A",
    access_key_1_last_used_service: "N/A",
    cert_1_active: "false",
    cert_1_last_rotated: "N/A",
  };
  assert.deepEqual(await report(system), [
    {
      ...bare,
      user: "<root_account>",
      arn: `arn:aws:iam::${ACCOUNT}:root`,
      user_creation_time: "1970-01-01T00:00:00Z",
      password_enabled: "not_supported",
      password_last_used: "no_information",
      password_last_changed: "not_supported",
      password_next_rotation: "not_supported",
    },
    {
      ...bare,
      user: "Anna",
      arn: `arn:aws:iam::${ACCOUNT}:user/team/Anna`,
      user_creation_time: START,
      password_enabled: "false",
      password_last_used: "N/A",
      password_last_changed: "N/A",
      password_next_rotation: "N/A",
    },
    {
      ...none,
      user: "dev",
      arn: `arn:aws:iam::${ACCOUNT}:user/dev`,
      user_creation_time: START,
      password_enabled: "true",
      password_last_used: "no_information",
      password_last_changed: START,
      password_next_rotation: "2026-01-12T03:04:05Z",
      mfa_active: "true",
      access_key_1_active: "true",
      access_key_1_last_rotated: START,
      access_key_1_last_used_date: "2026-01-02T03:05:00Z",
      access_key_1_last_used_region: "eu-central-1",
      access_key_1_last_used_service: "ecr",
      cert_1_active: "false",
      cert_1_last_rotated: START,
    },
  ]);
});

test("a report is kept for four hours", async () => {
  await using system = await iamSystem();
  const { root } = system;
  const generate = async () => {
    const { State, Description } = await root.send(new sdk.GenerateCredentialReportCommand({}));
    return [State, Description];
  };
  system.setNow(new Date(START));
  await assert.rejects(report(system), { name: "CredentialReportNotPresentException" });
  assert.deepEqual(await generate(), ["STARTED", "No report exists. Starting a new report generation task"]);
  assert.deepEqual(await generate(), ["COMPLETE", undefined]);
  await root.send(new sdk.CreateUserCommand({ UserName: "late,comer" }));
  system.setNow(new Date("2026-01-02T07:04:05Z"));
  assert.equal((await report(system)).length, 1, "it is as old as it says");
  system.setNow(new Date("2026-01-02T07:04:06Z"));
  await assert.rejects(report(system), { name: "CredentialReportExpiredException" });
  assert.deepEqual(await generate(), ["STARTED", undefined]);
  const { Content, GeneratedTime } = await root.send(new sdk.GetCredentialReportCommand({}));
  assert.deepEqual(GeneratedTime, new Date("2026-01-02T07:04:06Z"));
  assert.match(Buffer.from(Content!).toString(), /\n"late,comer","arn:aws:iam::\d+:user\/late,comer",.*[^\n]$/);
});

test("the account's summary has every key of AWS's, and counts", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  await anEnabledDevice(system, "dev", "phone");
  await root.send(new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "spare" }));
  await root.send(new sdk.SetSecurityTokenServicePreferencesCommand({ GlobalEndpointTokenVersion: "v2Token" }));
  await root.send(
    new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" }),
  );
  const { SummaryMap = {} } = await root.send(new sdk.GetAccountSummaryCommand({}));
  assert.deepEqual(Object.keys(SummaryMap).toSorted(), Object.keys(sdk.SummaryKeyType).toSorted());
  const { Users, MFADevices, MFADevicesInUse, GlobalEndpointTokenVersion, PolicyVersionsInUse } = SummaryMap;
  assert.deepEqual(
    [Users, MFADevices, MFADevicesInUse, GlobalEndpointTokenVersion, PolicyVersionsInUse],
    [1, 2, 1, 2, 1],
  );
});
