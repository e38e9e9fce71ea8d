/**
 * Who may do what in a repository: its ARN, its tags as condition keys, and its own policy.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
 */
import type { Tag } from "@aws-sdk/client-ecr";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { Authorization, ContextKeys } from "#gateway/operation.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { repositoryNotFound } from "./errors.ts";
import { parsedRepositoryArn, type RegistryScope, type RepositoryName, repositoryArn } from "./model.ts";
import { findRepository, type Repository } from "./store.ts";

export interface RepositoryInput {
  readonly registryId?: string | undefined;
  readonly repositoryName?: string | undefined;
}

/** The registry that a request means: its own account's unless it names another. */
export function registryOf(input: { readonly registryId?: string | undefined }, call: Call): RegistryScope {
  return { accountId: input.registryId ?? call.accountId, region: call.region };
}

export function repositoryNameOf(input: RepositoryInput, call: Call): RepositoryName {
  return { ...registryOf(input, call), name: input.repositoryName ?? "" };
}

/** Throws RepositoryNotFoundException. */
export async function requireRepository(input: RepositoryInput, call: Call): Promise<Repository> {
  const name = repositoryNameOf(input, call);
  const repository = await findRepository(call.db, name);
  if (!repository) throw repositoryNotFound(name);
  return repository;
}

/** For the operations on one repository. `action` without the prefix: "PutImage". */
export function onRepository<I extends RepositoryInput>(action: string): Authorization<I> {
  return onRepositories(action, (input, call) => [repositoryArn(repositoryNameOf(input, call))]);
}

/** For operations on several repositories, or on one by its ARN. */
export function onRepositories<I>(
  action: string,
  resources: (input: I, call: Call) => readonly string[],
  request?: (input: I) => ContextKeys,
): Authorization<I> {
  return {
    action: `ecr:${action}`,
    resources,
    context: (input) => request?.(input) ?? {},
    resourcePolicy,
  };
}

/** `aws:RequestTag/…` and `aws:TagKeys` of a request that brings tags. */
export function requestTagKeys(tags: readonly Tag[] | undefined): ContextKeys {
  if (!tags || tags.length === 0) return {};
  const keys = Object.fromEntries(tags.map(({ Key, Value }) => [`aws:requesttag/${Key?.toLowerCase()}`, Value]));
  return { ...keys, "aws:tagkeys": tags.map(({ Key }) => Key ?? "") };
}

/** `aws:ResourceTag/…` and `ecr:ResourceTag/…` of a repository. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const name = parsedRepositoryArn(arn);
  return name && (await findRepository(call.db, name))?.tags;
}

async function resourcePolicy(resource: string, _input: unknown, call: Call): Promise<CompiledPolicy | undefined> {
  const name = parsedRepositoryArn(resource);
  const repository = name && (await findRepository(call.db, name));
  return repository?.policy === undefined ? undefined : compilePolicy(parsePolicy(repository.policy, "resource"));
}
