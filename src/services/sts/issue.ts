/** Temporary credentials. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html */
import { randomBytes } from "node:crypto";
import type { Credentials } from "@aws-sdk/client-sts";
import { newAccessKeyId } from "#gateway/access-key-id.ts";
import type { Call } from "#gateway/context.ts";
import { type Session, sealSession } from "#gateway/session-token.ts";

export function issued(
  call: Call,
  seconds: number,
  session: Omit<Session, "accessKeyId" | "secretAccessKey" | "expiration" | "issuedAt">,
): Credentials {
  // Whole seconds: that is what the answer's timestamp can say.
  const expiration = (Math.floor(call.now.getTime() / 1000) + seconds) * 1000;
  const accessKeyId = newAccessKeyId("ASIA", session.principal.accountId);
  const secretAccessKey = randomBytes(30).toString("base64");
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sealSession(call.system.cipher, {
      ...session,
      accessKeyId,
      secretAccessKey,
      expiration,
      issuedAt: call.now.getTime(),
    }),
    Expiration: new Date(expiration),
  };
}
