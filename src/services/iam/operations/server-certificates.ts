/** Server certificates. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_server-certs.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys, OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { checkedServerCertificate } from "../certificates.ts";
import { alreadyExists, notFound, overQuota } from "../errors.ts";
import { newId } from "../ids.ts";
import { iamArn, type Tags, toTagList } from "../model.ts";
import { EVERYTHING, keyOf } from "../store/entities.ts";
import {
  deleteServerCertificate,
  findServerCertificate,
  insertServerCertificate,
  listServerCertificates,
  type ServerCertificate,
  updateServerCertificate,
} from "../store/server-certificates.ts";
import { requestTags, resourceTags } from "../tag-rules.ts";
import { aboutNamed, atPath, madeWithTags, page, tagPage } from "./support.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_CERTIFICATES = 20;
/** The purpose under which private keys are sealed. */
const PRIVATE_KEY_PURPOSE = "server-certificate";
const TITLE = "Server Certificate";

interface NamesCertificate {
  readonly ServerCertificateName: string | undefined;
}

function aboutCertificate<I extends NamesCertificate>(
  action: string,
  context?: (input: NoInfer<I>) => ContextKeys,
): Authorization<I> {
  const find = (call: Call, name: string) => findServerCertificate(call.db, call.accountId, name);
  return aboutNamed("server-certificate", find, action, (input) => input.ServerCertificateName!, context);
}

function arnOf({ accountId, path, name }: ServerCertificate): string {
  return iamArn(accountId, "server-certificate", path, name);
}

async function required(db: Database, call: Call, { ServerCertificateName }: NamesCertificate) {
  const certificate = await findServerCertificate(db, call.accountId, ServerCertificateName!);
  if (!certificate) throw notFound(TITLE, ServerCertificateName!);
  return certificate;
}

async function requireFree(db: Database, call: Call, name: string): Promise<void> {
  if (await findServerCertificate(db, call.accountId, name)) {
    throw alreadyExists(`The ${TITLE} with name ${name} already exists.`);
  }
}

function toMetadata(certificate: ServerCertificate): sdk.ServerCertificateMetadata {
  return {
    Path: certificate.path,
    ServerCertificateName: certificate.name,
    ServerCertificateId: certificate.id,
    Arn: arnOf(certificate),
    UploadDate: certificate.uploadedAt,
    Expiration: certificate.expiresAt,
  };
}

/** The private key is never answered again. */
export const UploadServerCertificate: OperationOf<sdk.UploadServerCertificateCommand> = {
  authorize: madeWithTags(
    "TagServerCertificate",
    atPath("server-certificate", "UploadServerCertificate", (input) => ({
      path: input.Path,
      name: input.ServerCertificateName!,
    })),
  ),
  async run(input, call) {
    const { CertificateBody: body = "", PrivateKey: privateKey = "", CertificateChain: chain } = input;
    const certificate: ServerCertificate = {
      accountId: call.accountId,
      name: input.ServerCertificateName!,
      path: input.Path ?? "/",
      id: newId("server certificate"),
      body,
      chain,
      sealedPrivateKey: call.system.cipher.seal(PRIVATE_KEY_PURPOSE, privateKey),
      uploadedAt: call.now,
      expiresAt: checkedServerCertificate(body, privateKey, chain).validToDate,
      tags: resourceTags.checked(input.Tags),
    };
    await inTransaction(call.db, async (trx) => {
      await requireFree(trx, call, certificate.name);
      if ((await listServerCertificates(trx, call.accountId, "/", EVERYTHING)).length >= MAX_CERTIFICATES) {
        throw overQuota("ServerCertificatesPerAccount", MAX_CERTIFICATES);
      }
      await insertServerCertificate(trx, certificate);
    });
    return {
      ServerCertificateMetadata: toMetadata(certificate),
      ...(certificate.tags.size > 0 && { Tags: toTagList(certificate.tags) }),
    };
  },
};

export const GetServerCertificate: OperationOf<sdk.GetServerCertificateCommand> = {
  authorize: aboutCertificate("GetServerCertificate"),
  async run(input, call) {
    const certificate = await required(call.db, call, input);
    return {
      ServerCertificate: {
        ServerCertificateMetadata: toMetadata(certificate),
        CertificateBody: certificate.body,
        ...(certificate.chain !== undefined && { CertificateChain: certificate.chain }),
        ...(certificate.tags.size > 0 && { Tags: toTagList(certificate.tags) }),
      },
    };
  },
};

export const ListServerCertificates: OperationOf<sdk.ListServerCertificatesCommand> = {
  authorize: { action: "iam:ListServerCertificates", resources: () => ["*"] },
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      (slice) => listServerCertificates(call.db, call.accountId, input.PathPrefix ?? "/", slice),
      ({ name }) => keyOf(name),
    );
    return { ServerCertificateMetadataList: items.map(toMetadata), ...rest };
  },
};

/** "you should understand the implications of changing a server certificate's path or name": its ARN changes. */
export const UpdateServerCertificate: OperationOf<sdk.UpdateServerCertificateCommand> = {
  authorize: aboutCertificate("UpdateServerCertificate"),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const certificate = await required(trx, call, input);
      const name = input.NewServerCertificateName ?? certificate.name;
      if (keyOf(name) !== keyOf(certificate.name)) await requireFree(trx, call, name);
      const changed = { ...certificate, name, path: input.NewPath ?? certificate.path };
      await updateServerCertificate(trx, certificate.name, changed);
    });
    return {};
  },
};

export const DeleteServerCertificate: OperationOf<sdk.DeleteServerCertificateCommand> = {
  authorize: aboutCertificate("DeleteServerCertificate"),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => deleteServerCertificate(trx, await required(trx, call, input)));
    return {};
  },
};

export const TagServerCertificate: OperationOf<sdk.TagServerCertificateCommand> = {
  authorize: aboutCertificate("TagServerCertificate", (input) => requestTags(input.Tags)),
  run: (input, call) => changeTags(call, input, (tags) => resourceTags.added(tags, input.Tags)),
};

export const UntagServerCertificate: OperationOf<sdk.UntagServerCertificateCommand> = {
  authorize: aboutCertificate("UntagServerCertificate", (input) => ({ "aws:tagkeys": input.TagKeys })),
  run: (input, call) => changeTags(call, input, (tags) => resourceTags.without(tags, input.TagKeys!)),
};

export const ListServerCertificateTags: OperationOf<sdk.ListServerCertificateTagsCommand> = {
  authorize: aboutCertificate("ListServerCertificateTags"),
  run: async (input, call) => tagPage(input, (await required(call.db, call, input)).tags),
};

function changeTags(call: Call, input: NamesCertificate, change: (tags: Tags) => Tags): Promise<object> {
  return inTransaction(call.db, async (trx) => {
    const certificate = await required(trx, call, input);
    await updateServerCertificate(trx, certificate.name, { ...certificate, tags: change(certificate.tags) });
    return {};
  });
}
