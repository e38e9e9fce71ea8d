/** SetRepositoryPolicy, GetRepositoryPolicy, DeleteRepositoryPolicy. */
import type * as sdk from "@aws-sdk/client-ecr";
import { MalformedPolicyError, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { policyToStore } from "#gateway/policy-principals.ts";
import { inTransaction } from "#store/database.ts";
import { onRepository, requireRepository } from "../authorization.ts";
import { invalidParameter, repositoryPolicyNotFound } from "../errors.ts";
import { updateRepository } from "../store.ts";
import { identity } from "./repositories.ts";

export const SetRepositoryPolicy: OperationOf<sdk.SetRepositoryPolicyCommand> = {
  authorize: onRepository("SetRepositoryPolicy"),
  async run(input, call) {
    const policyText = checkedPolicy(input.policyText ?? "");
    const repository = await requireRepository(input, call);
    const { accountId } = repository;
    const kept = await inTransaction(call.db, async (trx) => {
      const policy = await policyToStore(call, trx, { accountId, document: policyText }, () =>
        invalidParameter("PolicyText", "Principal not found"),
      );
      await updateRepository(trx, repository.id, { policy });
      return policy;
    });
    return { ...identity(repository), policyText: kept };
  },
};

export const GetRepositoryPolicy: OperationOf<sdk.GetRepositoryPolicyCommand> = {
  authorize: onRepository("GetRepositoryPolicy"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    if (repository.policy === undefined) throw repositoryPolicyNotFound(repository);
    return { ...identity(repository), policyText: repository.policy };
  },
};

export const DeleteRepositoryPolicy: OperationOf<sdk.DeleteRepositoryPolicyCommand> = {
  authorize: onRepository("DeleteRepositoryPolicy"),
  async run(input, call) {
    const repository = await requireRepository(input, call);
    if (repository.policy === undefined) throw repositoryPolicyNotFound(repository);
    await updateRepository(call.db, repository.id, { policy: null });
    return { ...identity(repository), policyText: repository.policy };
  },
};

/** AWS says no more than "Invalid repository policy provided"; the place and the mistake follow here. */
function checkedPolicy(text: string): string {
  try {
    parsePolicy(text, "resource");
    return text;
  } catch (error) {
    if (!(error instanceof MalformedPolicyError)) throw error;
    throw invalidParameter("PolicyText", `Invalid repository policy provided: ${error.message}`);
  }
}
