import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileAudit } from "./audit.ts";
import { type Call, rootPrincipal } from "./context.ts";
import { WireError } from "./errors.ts";
import type { Service } from "./service.ts";

const CALL = { principal: rootPrincipal("111122223333"), accountId: "111122223333", now: new Date() } as Call;

async function recorded(input: Record<string, unknown>, failure?: Error): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-audit-"));
  try {
    const audit = new FileAudit(folder, assert.ifError);
    audit.record({ endpointPrefix: "iam" } as Service, "CreateThing", input, CALL, failure);
    await audit.flush();
    const [file] = await readdir(folder);
    return JSON.parse(await readFile(join(folder, file!), "utf8")) as Record<string, unknown>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("what proves who somebody is does not reach the trail, wherever in the request it stands", async () => {
  const secrets = {
    Password: "S3cret",
    OldPassword: "S3cret",
    AuthenticationCode1: "S3cret",
    TokenCode: "S3cret",
    PrivateKey: "S3cret",
    AddPrivateKey: "S3cret",
    WebIdentityToken: "S3cret",
    SAMLAssertion: "S3cret",
    ProvidedContexts: [{ ProviderArn: "arn", ContextAssertion: "S3cret" }],
    CopySourceSSECustomerKey: "S3cret",
    deep: { secretAccessKey: "S3cret" },
  };
  const { requestParameters } = await recorded({ UserName: "dev", SSECustomerKeyMD5: "md5", ...secrets });
  assert.doesNotMatch(JSON.stringify(requestParameters), /S3cret/);
  const { UserName, SSECustomerKeyMD5, PrivateKey } = requestParameters as Record<string, unknown>;
  assert.deepEqual([UserName, SSECustomerKeyMD5, PrivateKey], ["dev", "md5", "HIDDEN_DUE_TO_SECURITY_REASONS"]);
});

test("a failed call is recorded with what it was refused with", async () => {
  const { errorCode, errorMessage } = await recorded({}, new WireError("ValidationError", 400, "no"));
  assert.deepEqual([errorCode, errorMessage], ["ValidationError", "no"]);
});
