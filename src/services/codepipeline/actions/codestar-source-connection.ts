/**
 * Source / AWS / CodeStarSourceConnection: the head of a branch in a repository that a connection gives access to.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
 */
import { GetConnectionCommand } from "@aws-sdk/client-codestar-connections";
import { type System, servicePrincipal } from "#gateway/context.ts";
import { GitError } from "#git/git.ts";
import { providerRemote } from "#git/provider-remote.ts";
import { branchHead, Checkout, type Remote } from "#git/repository.ts";
import { temporaryFolder } from "#store/temporary-folder.ts";
import { writeArtifact } from "../artifacts.ts";
import { type Pipeline, pipelineArn } from "../model.ts";
import { ActionFailure, type ActionJob, type ActionOutcome, type ActionProvider } from "./action-provider.ts";
import { isServiceError } from "./service-errors.ts";

type Configuration = Readonly<Record<string, string>>;

const CONNECTION_ARN = /^arn:aws[\w-]*:(codestar-connections|codeconnections):[^:]+:\d{12}:connection\/.+$/;
const MAX_SUMMARY = 2048;

export const codestarSourceConnection: ActionProvider = {
  type: {
    id: { category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
    description: "Fetches the head of a branch through a connection to a Git provider",
    properties: [
      { name: "ConnectionArn", required: true, description: "The ARN of the connection" },
      { name: "FullRepositoryId", required: true, description: "OWNER/REPOSITORY" },
      { name: "BranchName", required: true, description: "The branch whose changes are detected" },
      {
        name: "OutputArtifactFormat",
        required: false,
        description: "CODE_ZIP (default): the files without git's metadata",
        values: ["CODE_ZIP", "CODEBUILD_CLONE_REF"],
      },
      {
        name: "DetectChanges",
        required: false,
        description: "Whether a new commit starts the pipeline; true by default",
        values: ["true", "false"],
      },
    ],
    inputs: { minimum: 0, maximum: 0 },
    outputs: { minimum: 1, maximum: 1 },
  },

  mistake({ ConnectionArn = "", FullRepositoryId = "", OutputArtifactFormat }) {
    if (!CONNECTION_ARN.test(ConnectionArn)) return `'${ConnectionArn}' is not the ARN of a connection`;
    if (!FullRepositoryId.includes("/")) return `FullRepositoryId '${FullRepositoryId}' must be OWNER/REPOSITORY`;
    if (OutputArtifactFormat === "CODEBUILD_CLONE_REF") {
      return "OutputArtifactFormat CODEBUILD_CLONE_REF is not built in this version of Slipway; use CODE_ZIP";
    }
    return undefined;
  },

  entityUrl: (configuration, region) =>
    redirectUrl(configuration, region, `referenceType=BRANCH`, `Branch=${configuration.BranchName}`),

  async run(job) {
    const { configuration } = job;
    const { FullRepositoryId = "", BranchName = "" } = configuration;
    let revision = "";
    const observed = () => ({ source: sourceOf(configuration), revision });
    try {
      const { remote, provider } = await connectedRemote(job.system, job.pipeline, configuration);
      revision = (await branchHead(remote, BranchName)) ?? "";
      await requireUse(job);
      const commitId = job.requestedRevision ?? revision;
      if (!commitId) {
        throw new ActionFailure(
          "ConfigurationError",
          `[${provider}] No Branch [${BranchName}] found for FullRepositoryName [${FullRepositoryId}]`,
        );
      }
      return { ...(await fetched(job, remote, provider, commitId)), observed: observed() };
    } catch (error) {
      if (error instanceof GitError)
        return failed(new ActionFailure("ConfigurationError", gitMessage(error, configuration)), observed());
      if (error instanceof ActionFailure) return failed(error, observed());
      throw error;
    }
  },
};

/** What a source watches, as the key of its last seen head. */
export function sourceOf({ ConnectionArn, FullRepositoryId, BranchName }: Configuration): string {
  return JSON.stringify([ConnectionArn, FullRepositoryId, BranchName]);
}

/** Where the repository is. Throws ActionFailure where the connection is unknown or pending, GitError for a bad id. */
export async function connectedRemote(
  system: System,
  pipeline: Pipeline,
  { ConnectionArn = "", FullRepositoryId = "" }: Configuration,
): Promise<{ remote: Remote; provider: string }> {
  const [, , , region = "", accountId = ""] = ConnectionArn.split(":");
  const service = servicePrincipal("codepipeline.amazonaws.com", pipeline.accountId);
  const scope = { accountId, region, sourceArn: pipelineArn(pipeline, pipeline.name) };
  const { Connection } = await system
    .client(service, scope)
    .send(new GetConnectionCommand({ ConnectionArn }))
    .catch((error: unknown) => {
      throw isServiceError(error)
        ? new ActionFailure("ConfigurationError", `Unable to use Connection: ${ConnectionArn}. ${error.message}`)
        : error;
    });
  const provider = Connection!.ProviderType!;
  if (Connection!.ConnectionStatus !== "AVAILABLE") {
    throw new ActionFailure(
      "ConfigurationError",
      `Connection ${ConnectionArn} is not available: its status is ${Connection!.ConnectionStatus}. Complete the connection, and then try again.`,
    );
  }
  return { remote: providerRemote(provider, FullRepositoryId, system.config.providerEndpoints), provider };
}

/**
 * The role may use the connection where a policy allows `UseConnection` under one of the service's names and none denies
 * it under either. https://docs.aws.amazon.com/dtconsole/latest/userguide/security_iam_id-based-policy-examples-connections.html
 */
async function requireUse(job: ActionJob): Promise<void> {
  const { ConnectionArn = "", FullRepositoryId, BranchName } = job.configuration;
  const role = await job.role();
  for (const providerAction of ["GetBranch", "StartUploadArchiveToS3"]) {
    const requests = ["codestar-connections", "codeconnections"].map((prefix) => ({
      action: `${prefix}:UseConnection`,
      resource: ConnectionArn,
      context: {
        [`${prefix}:fullrepositoryid`]: FullRepositoryId,
        [`${prefix}:branchname`]: BranchName,
        [`${prefix}:provideraction`]: providerAction,
        [`${prefix}:providerpermissionsrequired`]: "read_only",
      },
    }));
    if (await role.allowsOneOf(requests)) continue;
    const message = `Unable to use Connection: ${ConnectionArn}. The provided role does not have sufficient permissions.`;
    throw new ActionFailure("PermissionError", message);
  }
}

async function fetched(job: ActionJob, remote: Remote, provider: string, commitId: string): Promise<ActionOutcome> {
  const { configuration, signal } = job;
  const folder = await temporaryFolder(job.system.config.dataDir, "source");
  await using checkout = await Checkout.fetch(remote, commitId, { folder, workTree: false, depth: 1, signal });
  await writeArtifact(job, job.outputs[0]!, await checkout.zip());
  const { message, authorDate } = checkout.commit;
  const summary = JSON.stringify({ ProviderType: provider, CommitMessage: message }).slice(0, MAX_SUMMARY);
  const url = redirectUrl(configuration, job.pipeline.region, "referenceType=COMMIT", `Commit=${commitId}`);
  return {
    status: "Succeeded",
    detail: {
      externalId: commitId,
      externalUrl: url,
      summary,
      revision: { id: commitId, summary, url },
      outputs: job.outputs,
      variables: {
        AuthorDate: authorDate.toISOString().replace(/\.\d+Z$/, "Z"),
        BranchName: configuration.BranchName!,
        CommitId: commitId,
        CommitMessage: message,
        ConnectionArn: configuration.ConnectionArn!,
        FullRepositoryName: configuration.FullRepositoryId!,
      },
    },
  };
}

function failed({ code, message }: ActionFailure, observed: { source: string; revision: string }): ActionOutcome {
  return { status: "Failed", error: { code, message }, observed };
}

function gitMessage({ message }: GitError, { FullRepositoryId }: Configuration): string {
  return `Could not read the repository ${FullRepositoryId}: ${message}`;
}

function redirectUrl(
  { ConnectionArn, FullRepositoryId }: Configuration,
  region: string,
  type: string,
  at: string,
): string {
  return `https://${region}.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=${ConnectionArn}&${type}&FullRepositoryId=${FullRepositoryId}&${at}`;
}
