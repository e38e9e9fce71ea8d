import assert from "node:assert/strict";
import { test } from "node:test";
import { authenticationError } from "./auth-errors.ts";
import type { Service } from "./service.ts";

const speaking = (protocol: Service["protocol"]) => ({ protocol }) as Service;

test("S3 tells of a presigned URL when it expired, and others tell nothing", () => {
  const details = {
    expiresSeconds: 60,
    expires: new Date("2026-01-01T00:01:00.000Z"),
    serverTime: new Date("2026-01-01T00:01:01.250Z"),
  };
  const { code, status, members } = authenticationError(speaking("restXml"), "signature-expired", "gone", details);
  assert.deepEqual([code, status], ["AccessDenied", 403]);
  assert.deepEqual(
    Object.entries(members).filter(([, value]) => value !== undefined),
    [
      ["X-Amz-Expires", 60],
      ["Expires", "2026-01-01T00:01:00Z"],
      ["ServerTime", "2026-01-01T00:01:01Z"],
    ],
  );
  assert.deepEqual(authenticationError(speaking("awsQuery"), "signature-expired", "gone", details).members, {});
});

test("S3 names the headers that were not signed", () => {
  const details = { unsignedHeaders: ["x-amz-acl", "x-amz-tagging"] };
  const { members } = authenticationError(speaking("restXml"), "unsigned-header", "not signed", details);
  assert.equal(members.HeadersNotSigned, "x-amz-acl, x-amz-tagging");
});
