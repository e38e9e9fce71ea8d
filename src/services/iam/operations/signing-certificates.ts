/** X.509 signing certificates of users. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { parseCertificate } from "../certificates.ts";
import { duplicateCertificate, invalidCertificate, overQuota } from "../errors.ts";
import { newCertificateId } from "../ids.ts";
import type { Entity } from "../model.ts";
import { insertUserCredential, listUserCredentials, type UserCredential } from "../store/user-credentials.ts";
import { about, existing, pageOf, refOf, userNameOf } from "./support.ts";
import { changeStatus, removeCredential } from "./user-credentials.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_CERTIFICATES_OF_USER = 2;

function toCertificate(user: Entity, certificate: UserCredential): sdk.SigningCertificate {
  return {
    UserName: user.name,
    CertificateId: certificate.id,
    CertificateBody: certificate.body,
    Status: certificate.status,
    UploadDate: certificate.createdAt,
  };
}

/** The same certificate may not be anybody else's in the account either. */
export const UploadSigningCertificate: OperationOf<sdk.UploadSigningCertificateCommand> = {
  authorize: about("user", "UploadSigningCertificate", userNameOf),
  async run(input, call) {
    const body = input.CertificateBody!;
    const { fingerprint256, validToDate } = parseCertificate(body);
    if (validToDate < call.now) throw invalidCertificate("The certificate has expired.");
    return inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", userNameOf(input, call)));
      const all = await listUserCredentials(trx, call.accountId, "signing");
      if (all.some((other) => parseCertificate(other.body).fingerprint256 === fingerprint256)) {
        throw duplicateCertificate("The certificate is already associated with a user of the account.");
      }
      if (all.filter(({ userId }) => userId === user.id).length >= MAX_CERTIFICATES_OF_USER) {
        throw overQuota("CertificatesPerUser", MAX_CERTIFICATES_OF_USER);
      }
      const certificate: UserCredential = {
        id: newCertificateId(),
        accountId: call.accountId,
        userId: user.id,
        kind: "signing",
        status: "Active",
        createdAt: call.now,
        body,
        service: undefined,
      };
      await insertUserCredential(trx, certificate);
      return { Certificate: toCertificate(user, certificate) };
    });
  },
};

export const ListSigningCertificates: OperationOf<sdk.ListSigningCertificatesCommand> = {
  authorize: about("user", "ListSigningCertificates", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    const certificates = await listUserCredentials(call.db, call.accountId, "signing", user.id);
    const { items, ...rest } = await pageOf(input, certificates, ({ id }) => id);
    return { Certificates: items.map((certificate) => toCertificate(user, certificate)), ...rest };
  },
};

export const UpdateSigningCertificate: OperationOf<sdk.UpdateSigningCertificateCommand> = {
  authorize: about("user", "UpdateSigningCertificate", userNameOf),
  run: (input, call) => changeStatus(call, "signing", input, input.CertificateId!),
};

export const DeleteSigningCertificate: OperationOf<sdk.DeleteSigningCertificateCommand> = {
  authorize: about("user", "DeleteSigningCertificate", userNameOf),
  run: (input, call) => removeCredential(call, "signing", input, input.CertificateId!),
};
