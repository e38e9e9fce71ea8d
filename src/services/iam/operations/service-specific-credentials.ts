/**
 * Credentials that one service alone takes: Git credentials for CodeCommit and the like.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_service-specific-creds.html
 */
import { createHash, randomBytes } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys, OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { overQuota, serviceNotSupported, validationError } from "../errors.ts";
import { newId } from "../ids.ts";
import { type Entity, iamArn } from "../model.ts";
import { findEntitiesById } from "../store/entities.ts";
import {
  findUserCredential,
  insertUserCredential,
  listUserCredentials,
  type UserCredential,
  updateUserCredential,
} from "../store/user-credentials.ts";
import { about, existing, pageOf, refOf, userNameOf } from "./support.ts";
import { changeStatus, removeCredential, requiredCredential } from "./user-credentials.ts";

/** "You can have a maximum of two sets of service-specific credentials for each supported service per user." */
const MAX_OF_USER_AND_SERVICE = 2;
/** Whether the service has API keys, which may expire, rather than user names and passwords. */
const SERVICES: Readonly<Record<string, { readonly apiKeys: boolean }>> = {
  "bedrock.amazonaws.com": { apiKeys: true },
  "cassandra.amazonaws.com": { apiKeys: false },
  "codecommit.amazonaws.com": { apiKeys: false },
  "logs.amazonaws.com": { apiKeys: true },
};
const DAY_MS = 86_400_000;

interface NamesCredential {
  readonly UserName?: string | undefined;
  readonly ServiceSpecificCredentialId: string | undefined;
}

function aboutCredential<I extends NamesCredential>(action: string): Authorization<I> {
  return about<I>("user", action, userNameOf, async (input, call): Promise<ContextKeys> => {
    const id = input.ServiceSpecificCredentialId!;
    const credential = await findUserCredential(call.db, call.accountId, "service", id);
    return { "iam:servicespecificcredentialservicename": credential?.service?.name };
  });
}

/** It and ResetServiceSpecificCredential alone ever answer the secret. */
export const CreateServiceSpecificCredential: OperationOf<sdk.CreateServiceSpecificCredentialCommand> = {
  authorize: about(
    "user",
    "CreateServiceSpecificCredential",
    (input) => input.UserName!,
    (input) => ({
      "iam:servicespecificcredentialservicename": input.ServiceName,
      "iam:servicespecificcredentialagedays": input.CredentialAgeDays?.toString(),
    }),
  ),
  async run(input, call) {
    const serviceName = input.ServiceName!;
    const { apiKeys } = supported(serviceName);
    if (input.CredentialAgeDays !== undefined && !apiKeys) {
      throw validationError(`CredentialAgeDays is not supported for ${serviceName}.`);
    }
    return inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      const all = await listUserCredentials(trx, call.accountId, "service");
      const others = all.filter(({ userId, service }) => userId === user.id && service?.name === serviceName);
      if (others.length >= MAX_OF_USER_AND_SERVICE) {
        throw overQuota("ServiceSpecificCredentialsPerUser", MAX_OF_USER_AND_SERVICE);
      }
      const secret = newSecret();
      const days = input.CredentialAgeDays;
      const credential: UserCredential = {
        id: newId("service-specific credential"),
        accountId: call.accountId,
        userId: user.id,
        kind: "service",
        status: "Active",
        createdAt: call.now,
        body: freeName(user, call.accountId, serviceName, all),
        service: {
          name: serviceName,
          secretHash: hashOf(secret),
          expiresAt: days === undefined ? undefined : new Date(call.now.getTime() + days * DAY_MS),
        },
      };
      await insertUserCredential(trx, credential);
      return { ServiceSpecificCredential: withSecret(user, credential, secret) };
    });
  },
};

export const ListServiceSpecificCredentials: OperationOf<sdk.ListServiceSpecificCredentialsCommand> = {
  authorize: {
    action: "iam:ListServiceSpecificCredentials",
    resources(input, call) {
      if (input.AllUsers) return [iamArn(call.accountId, "user", "/", "*")];
      return about<typeof input>("user", "ListServiceSpecificCredentials", userNameOf).resources(input, call);
    },
  },
  async run(input, call) {
    if (input.ServiceName !== undefined) supported(input.ServiceName);
    const found = (await chosen(input, call)).filter(
      ({ credential }) => input.ServiceName === undefined || credential.service?.name === input.ServiceName,
    );
    const { items, ...rest } = await pageOf(input, found, ({ credential }) => credential.id);
    return {
      ServiceSpecificCredentials: items.map(({ user, credential }) => toMetadata(user, credential)),
      ...rest,
    };
  },
};

export const ResetServiceSpecificCredential: OperationOf<sdk.ResetServiceSpecificCredentialCommand> = {
  authorize: aboutCredential("ResetServiceSpecificCredential"),
  run: (input, call) =>
    inTransaction(call.db, async (trx) => {
      const id = input.ServiceSpecificCredentialId!;
      const { user, credential } = await requiredCredential(trx, call, "service", input, id);
      const secret = newSecret();
      const service = { ...credential.service!, secretHash: hashOf(secret) };
      await updateUserCredential(trx, { ...credential, service });
      return { ServiceSpecificCredential: withSecret(user, credential, secret) };
    }),
};

export const UpdateServiceSpecificCredential: OperationOf<sdk.UpdateServiceSpecificCredentialCommand> = {
  authorize: aboutCredential("UpdateServiceSpecificCredential"),
  run: (input, call) => changeStatus(call, "service", input, input.ServiceSpecificCredentialId!),
};

export const DeleteServiceSpecificCredential: OperationOf<sdk.DeleteServiceSpecificCredentialCommand> = {
  authorize: aboutCredential("DeleteServiceSpecificCredential"),
  run: (input, call) => removeCredential(call, "service", input, input.ServiceSpecificCredentialId!),
};

interface Owned {
  readonly user: Entity;
  readonly credential: UserCredential;
}

async function chosen(
  input: { readonly UserName?: string | undefined; readonly AllUsers?: boolean | undefined },
  call: Call,
): Promise<Owned[]> {
  const { db, accountId } = call;
  if (!input.AllUsers) {
    const user = await existing(db, refOf(call, "user", userNameOf(input, call)));
    return (await listUserCredentials(db, accountId, "service", user.id)).map((credential) => ({ user, credential }));
  }
  if (input.UserName !== undefined) throw validationError("AllUsers cannot be specified together with UserName.");
  const credentials = await listUserCredentials(db, accountId, "service");
  const users = await findEntitiesById(db, accountId, [...new Set(credentials.map(({ userId }) => userId))]);
  const byId = new Map(users.map((user) => [user.id, user]));
  // Whoever is deleted between the two has none any more.
  return credentials.flatMap((credential) => {
    const user = byId.get(credential.userId);
    return user ? [{ user, credential }] : [];
  });
}

function supported(serviceName: string): { readonly apiKeys: boolean } {
  const service = Object.hasOwn(SERVICES, serviceName) ? SERVICES[serviceName] : undefined;
  if (!service) throw serviceNotSupported(`${serviceName} does not support service-specific credentials.`);
  return service;
}

/**
 * `jane-at-123456789012`, and `jane+1-at-123456789012` while that is taken: by a credential of jane's, by one of a user whose
 * name is `jane+1`, or by one of somebody who was jane once.
 */
function freeName(user: Entity, accountId: string, serviceName: string, all: readonly UserCredential[]): string {
  const taken = new Set(all.filter(({ service }) => service?.name === serviceName).map(({ body }) => body));
  for (let n = 0; ; n++) {
    const name = `${user.name}${n === 0 ? "" : `+${n}`}-at-${accountId}`;
    if (!taken.has(name)) return name;
  }
}

/** 256 bits, so that a plain hash keeps it as well as a slow one. */
function newSecret(): string {
  return randomBytes(32).toString("base64");
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function toMetadata(user: Entity, { id, status, createdAt, body, service }: UserCredential) {
  const { name, expiresAt } = service!;
  return {
    UserName: user.name,
    ServiceSpecificCredentialId: id,
    ServiceName: name,
    Status: status,
    CreateDate: createdAt,
    ...(expiresAt && { ExpirationDate: expiresAt }),
    ...(supported(name).apiKeys ? { ServiceCredentialAlias: body } : { ServiceUserName: body }),
  };
}

function withSecret(user: Entity, credential: UserCredential, secret: string): sdk.ServiceSpecificCredential {
  const { apiKeys } = supported(credential.service!.name);
  return {
    ...toMetadata(user, credential),
    ...(apiKeys ? { ServiceCredentialSecret: secret } : { ServicePassword: secret }),
  };
}
