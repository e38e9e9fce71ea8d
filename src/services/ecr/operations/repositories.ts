/** CreateRepository, DescribeRepositories, DeleteRepository, and the settings of a repository. */
import type * as sdk from "@aws-sdk/client-ecr";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import {
  onRepositories,
  onRepository,
  registryOf,
  repositoryNameOf,
  requestTagKeys,
  requireRepository,
} from "../authorization.ts";
import { invalidParameter, repositoryAlreadyExists, repositoryNotEmpty, repositoryNotFound } from "../errors.ts";
import { hasImages } from "../image-store.ts";
import { layerBlobs } from "../layers.ts";
import { repositoryArn, repositoryUri, type TagMutability } from "../model.ts";
import { afterKey, DEFAULT_PAGE, page } from "../paging.ts";
import { SWEEP_ID, SWEEP_KIND } from "../runner.ts";
import {
  deleteRepositoryRows,
  findRepository,
  insertRepository,
  lockRepository,
  type Repository,
  repositoriesAfter,
  updateRepository,
} from "../store.ts";
import { withTags } from "../tags.ts";

export const CreateRepository: OperationOf<sdk.CreateRepositoryCommand> = {
  authorize: {
    ...onRepositories<sdk.CreateRepositoryCommandInput>(
      "CreateRepository",
      (input, call) => [repositoryArn(repositoryNameOf(input, call))],
      (input) => requestTagKeys(input.tags),
    ),
    // https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-supported-iam-actions-tagging.html
    additional: (input, _call, resources) =>
      input.tags?.length
        ? resources.map((resource) => ({
            action: "ecr:TagResource",
            resource,
            context: requestTagKeys(input.tags),
          }))
        : [],
  },
  async run(input, call) {
    const name = repositoryNameOf(input, call);
    const repository = await insertRepository(call.db, {
      ...name,
      createdAt: call.now,
      tagMutability: tagMutability(input.imageTagMutability, input.imageTagMutabilityExclusionFilters),
      scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
      encryption: input.encryptionConfiguration ?? { encryptionType: "AES256" },
      tags: withTags({}, input.tags ?? []),
    });
    if (!repository) throw repositoryAlreadyExists(name);
    return { repository: described(repository) };
  },
};

export const DescribeRepositories: OperationOf<sdk.DescribeRepositoriesCommand> = {
  authorize: onRepositories("DescribeRepositories", (input, call) => {
    const registry = registryOf(input, call);
    return (input.repositoryNames ?? ["*"]).map((name) => repositoryArn({ ...registry, name }));
  }),
  async run(input, call) {
    const registry = registryOf(input, call);
    if (!input.repositoryNames) {
      const limit = input.maxResults ?? DEFAULT_PAGE;
      // One more than the page holds tells whether there is another.
      const found = await repositoriesAfter(call.db, registry, afterKey(input.nextToken), limit + 1);
      const { items, nextToken } = page(found, ({ name }) => name, { maxResults: limit });
      return { repositories: items.map(described), nextToken };
    }
    if (input.nextToken !== undefined || input.maxResults !== undefined) {
      throw invalidParameter("repositoryNames", "must not be specified together with 'nextToken' or 'maxResults'");
    }
    const repositories: Repository[] = [];
    for (const name of input.repositoryNames) {
      const repository = await findRepository(call.db, { ...registry, name });
      if (!repository) throw repositoryNotFound({ ...registry, name });
      repositories.push(repository);
    }
    return { repositories: repositories.map(described) };
  },
};

export const DeleteRepository: OperationOf<sdk.DeleteRepositoryCommand> = {
  authorize: onRepository("DeleteRepository"),
  async run(input, call) {
    const { repository, uploads } = await inTransaction(call.db, async (trx) => {
      const found = await requireRepository(input, { ...call, db: trx });
      await lockRepository(trx, found.id);
      if (!input.force && (await hasImages(trx, found.id))) throw repositoryNotEmpty(found);
      await call.system.work.schedule(trx, SWEEP_KIND, SWEEP_ID);
      return { repository: found, uploads: await deleteRepositoryRows(trx, found.id) };
    });
    for (const upload of uploads) await layerBlobs(call.system).discard(upload);
    call.system.work.wake();
    return { repository: described(repository) };
  },
};

export const PutImageTagMutability: OperationOf<sdk.PutImageTagMutabilityCommand> = {
  authorize: onRepository("PutImageTagMutability"),
  async run(input, call) {
    const { mutability, exclusions } = tagMutability(
      input.imageTagMutability,
      input.imageTagMutabilityExclusionFilters,
    );
    const repository = await requireRepository(input, call);
    const change = { tag_mutability: mutability, tag_exclusions: JSON.stringify(exclusions) };
    await updateRepository(call.db, repository.id, change);
    return {
      ...identity(repository),
      imageTagMutability: mutability,
      ...(exclusions.length > 0 && { imageTagMutabilityExclusionFilters: exclusionFilters(exclusions) }),
    };
  },
};

export const PutImageScanningConfiguration: OperationOf<sdk.PutImageScanningConfigurationCommand> = {
  authorize: onRepository("PutImageScanningConfiguration"),
  async run(input, call) {
    const scanOnPush = input.imageScanningConfiguration?.scanOnPush ?? false;
    const repository = await requireRepository(input, call);
    await updateRepository(call.db, repository.id, { scan_on_push: scanOnPush ? 1 : 0 });
    return { ...identity(repository), imageScanningConfiguration: { scanOnPush } };
  },
};

/** Replication is not built, so a registry never has a rule. */
export const DescribeRegistry: OperationOf<sdk.DescribeRegistryCommand> = {
  authorize: { action: "ecr:DescribeRegistry", resources: () => ["*"] },
  run: (_input: object, call: Call) => ({ registryId: call.accountId, replicationConfiguration: { rules: [] } }),
};

/** The members that nearly every output begins with. */
export function identity({ accountId, name }: Repository): { registryId: string; repositoryName: string } {
  return { registryId: accountId, repositoryName: name };
}

function described(repository: Repository): sdk.Repository {
  const { mutability, exclusions } = repository.tagMutability;
  return {
    repositoryArn: repositoryArn(repository),
    ...identity(repository),
    repositoryUri: repositoryUri(repository),
    createdAt: repository.createdAt,
    imageTagMutability: mutability,
    ...(exclusions.length > 0 && { imageTagMutabilityExclusionFilters: exclusionFilters(exclusions) }),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: repository.encryption,
  };
}

function exclusionFilters(exclusions: readonly string[]): sdk.ImageTagMutabilityExclusionFilter[] {
  return exclusions.map((filter) => ({ filterType: "WILDCARD", filter }));
}

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageTagMutabilityExclusionFilter.html */
function tagMutability(
  mutability: sdk.ImageTagMutability = "MUTABLE",
  filters: readonly sdk.ImageTagMutabilityExclusionFilter[] = [],
): TagMutability {
  const exclusions = filters.map(({ filter }) => filter ?? "");
  const parameter = "imageTagMutabilityExclusionFilters";
  if (mutability.endsWith("_WITH_EXCLUSION") !== exclusions.length > 0) {
    throw invalidParameter(parameter, "must be specified exactly when 'imageTagMutability' ends with _WITH_EXCLUSION");
  }
  if (exclusions.some((filter) => filter.split("*").length > 3)) {
    throw invalidParameter(parameter, "must have at most two wildcards (*) per filter");
  }
  return { mutability, exclusions };
}
