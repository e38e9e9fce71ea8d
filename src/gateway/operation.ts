/**
 * An AWS operation as Slipway builds it: who may call it on what, and what it does. The input and output are the SDK's
 * own types, so a handler cannot answer a shape that AWS does not have.
 */
import type { Readable } from "node:stream";
import type { GetOutputType, StreamingBlobPayloadInputTypes, StreamingBlobPayloadOutputTypes } from "@smithy/types";
import type { AccessRequest } from "./authorize.ts";
import type { CompiledPolicy } from "./authz/compile.ts";
import type { Call, Principal } from "./context.ts";

export type ContextKeys = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Authorization<I> {
  /** As IAM policies name it: "codebuild:StartBuild". S3's depend on the input: versions have actions of their own. */
  readonly action: string | ((input: I) => string);
  /** The ARNs that must all be allowed; `["*"]` for actions without a resource type. */
  resources(input: I, call: Call): readonly string[] | Promise<readonly string[]>;
  /**
   * Condition keys beside the global ones and the resource's tags, which its service's `resourceTags` gives; names in lower
   * case. Asked for only where a policy of the request mentions such a key.
   */
  context?(input: I, call: Call, resource: string): ContextKeys | Promise<ContextKeys>;
  /** The account that owns a resource whose ARN does not say (S3); undefined: the caller's own. */
  resourceAccountId?(resource: string, input: I, call: Call): string | undefined | Promise<string | undefined>;
  /** The policy attached to the resource, where it has one. */
  resourcePolicy?(
    resource: string,
    input: I,
    call: Call,
  ): CompiledPolicy | undefined | Promise<CompiledPolicy | undefined>;
  /** The resource's policy must allow by itself: role trust policies, KMS key policies. */
  readonly resourcePolicyRequired?: boolean;
  /** The resource is AWS's own, which no RCP restricts: AWS managed keys. */
  awsManaged?(resource: string, input: I, call: Call): boolean | Promise<boolean>;
  /** What AWS asks for beside the action itself: tagging what is created, above all. */
  additional?(input: I, call: Call, resources: readonly string[]): readonly AccessRequest[];
  /** Roles that the call hands to a service: each needs `iam:PassRole`. */
  passedRoles?(input: I, call: Call): readonly PassedRole[];
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html */
export interface PassedRole {
  readonly roleArn: string;
  /** `iam:PassedToService`. */
  readonly service: string;
}

export interface Operation<I = never, O = unknown> {
  /**
   * Whom the input itself proves to be calling: by a token, an assertion, or beside the signature by an MFA code. Comes once
   * and before `authorize`; throws what AWS answers where the proof fails.
   */
  identify?(input: I, call: Call): Promise<Principal>;
  /** AWS takes it without a signature: `identify` alone says who calls. */
  readonly unsigned?: true;
  /** "always": AWS lets every authenticated caller do it whatever the policies say (sts:GetCallerIdentity). */
  readonly authorize: Authorization<I> | "always";
  run(input: I, call: Call): Promise<O> | O;
}

type AnyCommand = { input: object };

/** Streaming members arrive as a Readable. */
export type ServerInput<T> = {
  [K in keyof T]: [StreamingBlobPayloadInputTypes] extends [NonNullable<T[K]>] ? Readable | undefined : T[K];
};
/** A handler may answer a streaming member with a Readable, bytes or a string. */
export type ServerOutput<T> = {
  [K in keyof T as K extends "$metadata" ? never : K]: StreamingBlobPayloadOutputTypes extends NonNullable<T[K]>
    ? Readable | Uint8Array | string | undefined
    : T[K];
};

/** `OperationOf<StartBuildCommand>`: the operation behind an SDK command. */
export type OperationOf<C extends AnyCommand> = Operation<ServerInput<C["input"]>, ServerOutput<GetOutputType<C>>>;

type OperationName<M> = {
  [K in keyof M]: K extends `${infer N}Command` ? (N extends "$" | "" ? never : N) : never;
}[keyof M];
type CommandOf<M, N extends string> = `${N}Command` extends keyof M
  ? M[`${N}Command`] extends abstract new (
      ...args: never[]
    ) => infer C
    ? C extends AnyCommand
      ? C
      : never
    : never
  : never;

/** The operations of an SDK client package by AWS's names, as far as they are built. */
export type OperationTable<M> = { readonly [N in OperationName<M> & string]?: OperationOf<CommandOf<M, N>> };
