import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type ActionDeclaration,
  CreatePipelineCommand,
  DeletePipelineCommand,
  GetActionTypeCommand,
  GetPipelineCommand,
  GetPipelineExecutionCommand,
  ListActionTypesCommand,
  ListPipelineExecutionsCommand,
  ListPipelinesCommand,
  ListTagsForResourceCommand,
  type PipelineDeclaration,
  TagResourceCommand,
  UntagResourceCommand,
  UpdatePipelineCommand,
} from "@aws-sdk/client-codepipeline";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { anApproval, aPipeline, aPipelineSystem, aSource, type PipelineSystem, ROLE } from "../testing.ts";

const CONNECTION = `arn:aws:codestar-connections:${REGION}:${ACCOUNT}:connection/00000000-0000-0000-0000-000000000000`;
const ARN = `arn:aws:codepipeline:${REGION}:${ACCOUNT}:cruddur-backend-fargate`;

type Change = (pipeline: PipelineDeclaration & { stages: { name: string; actions: ActionDeclaration[] }[] }) => void;

function changed(change: Change): PipelineDeclaration {
  const pipeline = aPipeline(CONNECTION) as Parameters<Change>[0];
  change(pipeline);
  return pipeline;
}

describe("pipelines", () => {
  let made: PipelineSystem;
  before(async () => {
    made = await aPipelineSystem({ work: false });
  });
  after(() => made[Symbol.asyncDispose]());

  const create = (pipeline: PipelineDeclaration) => made.system.root.send(new CreatePipelineCommand({ pipeline }));

  it("keep their structure with every default, in versions", async () => {
    const { system } = made;
    await create(aPipeline(CONNECTION, { name: "versions" }));
    const { pipeline, metadata } = await system.root.send(new GetPipelineCommand({ name: "versions" }));
    assert.deepEqual([pipeline?.version, pipeline?.executionMode, pipeline?.pipelineType], [1, "SUPERSEDED", "V1"]);
    assert.deepEqual(pipeline?.stages?.[2]?.actions?.[0]?.outputArtifacts, []);
    assert.equal(pipeline?.stages?.[0]?.actions?.[0]?.runOrder, 1);
    assert.equal(metadata?.pipelineArn, ARN.replace("cruddur-backend-fargate", "versions"));

    const stages = [...pipeline!.stages!, { name: "Last", actions: [anApproval()] }];
    const updated = await system.root.send(new UpdatePipelineCommand({ pipeline: { ...pipeline!, stages } }));
    assert.equal(updated.pipeline?.version, 2);
    const first = await system.root.send(new GetPipelineCommand({ name: "versions", version: 1 }));
    assert.equal(first.pipeline?.stages?.length, 3);
    await assert.rejects(system.root.send(new GetPipelineCommand({ name: "versions", version: 3 })), {
      name: "PipelineVersionNotFoundException",
    });
  });

  it("have names of their own in their account and region", async () => {
    const { system } = made;
    await create(aPipeline(CONNECTION, { name: "taken" }));
    await assert.rejects(create(aPipeline(CONNECTION, { name: "taken" })), {
      name: "PipelineNameInUseException",
      message: `A pipeline with the name 'taken' already exists in account '${ACCOUNT}'`,
    });
    const missing = {
      name: "PipelineNotFoundException",
      message: `Account '${ACCOUNT}' does not have a pipeline with name 'none'`,
    };
    await assert.rejects(system.root.send(new GetPipelineCommand({ name: "none" })), missing);
    await assert.rejects(
      system.root.send(new UpdatePipelineCommand({ pipeline: aPipeline(CONNECTION, { name: "none" }) })),
      missing,
    );
    const elsewhere = system.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-1" });
    await assert.rejects(elsewhere.send(new GetPipelineCommand({ name: "taken" })), {
      name: "PipelineNotFoundException",
    });
  });

  it("are gone with their executions when deleted; deleting again is no error", async () => {
    const { system } = made;
    await create(aPipeline(CONNECTION, { name: "gone" }));
    const list = new ListPipelineExecutionsCommand({ pipelineName: "gone" });
    const [execution] = (await system.root.send(list)).pipelineExecutionSummaries!;
    for (let times = 0; times < 2; times++) await system.root.send(new DeletePipelineCommand({ name: "gone" }));
    await assert.rejects(system.root.send(list), { name: "PipelineNotFoundException" });
    await create(aPipeline(CONNECTION, { name: "gone" }));
    const old = new GetPipelineExecutionCommand({
      pipelineName: "gone",
      pipelineExecutionId: execution?.pipelineExecutionId,
    });
    await assert.rejects(system.root.send(old), { name: "PipelineExecutionNotFoundException" });
  });

  it("are listed page by page", async () => {
    const { system } = made;
    for (const name of ["page-a", "page-b", "page-c"]) await create(aPipeline(CONNECTION, { name }));
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await system.root.send(new ListPipelinesCommand({ maxResults: 2, nextToken }));
      assert.ok(page.pipelines!.length <= 2);
      names.push(...page.pipelines!.map(({ name }) => name!));
      nextToken = page.nextToken;
    } while (nextToken);
    assert.deepEqual(names, names.toSorted());
    assert.deepEqual(
      names.filter((name) => name.startsWith("page-")),
      ["page-a", "page-b", "page-c"],
    );
    await assert.rejects(system.root.send(new ListPipelinesCommand({ nextToken: "x" })), {
      name: "InvalidNextTokenException",
    });
  });

  it("carry tags", async () => {
    const { system } = made;
    await create(aPipeline(CONNECTION));
    const tags = async () => (await system.root.send(new ListTagsForResourceCommand({ resourceArn: ARN }))).tags;
    await system.root.send(new TagResourceCommand({ resourceArn: ARN, tags: [{ key: "team", value: "a" }] }));
    assert.deepEqual(await tags(), [{ key: "team", value: "a" }]);
    await system.root.send(new UntagResourceCommand({ resourceArn: ARN, tagKeys: ["team"] }));
    assert.deepEqual(await tags(), []);
    const none = new ListTagsForResourceCommand({ resourceArn: `${ARN}-none` });
    await assert.rejects(system.root.send(none), { name: "ResourceNotFoundException" });
    const stage = new ListTagsForResourceCommand({ resourceArn: `${ARN}/Source` });
    await assert.rejects(system.root.send(stage), { name: "InvalidArnException" });
  });

  const refused: [string, RegExp, Change][] = [
    [
      "InvalidStructureException",
      /^Pipeline has only 1 stages\. There should be a minimum of 2 stages in a pipeline$/,
      (p) => p.stages.splice(1),
    ],
    [
      "InvalidStructureException",
      /^Pipeline should start with a stage that only contains source actions$/,
      (p) => p.stages.shift(),
    ],
    [
      "InvalidStructureException",
      /^Source actions can only be included in the first stage of the pipeline$/,
      (p) => p.stages[1]!.actions.push({ ...aSource(CONNECTION), name: "S2" }),
    ],
    [
      "InvalidStructureException",
      /^QUEUED or PARALLEL mode can only be used with V2 pipelines$/,
      (p) => Object.assign(p, { executionMode: "QUEUED" }),
    ],
    [
      "InvalidStructureException",
      /^Pipeline variable can only be used with V2 pipelines$/,
      (p) => Object.assign(p, { variables: [{ name: "a" }] }),
    ],
    [
      "InvalidStructureException",
      /^Variable names must be unique\. The following variable name is already in use: a$/,
      (p) => Object.assign(p, { pipelineType: "V2", variables: [{ name: "a" }, { name: "a" }] }),
    ],
    [
      "InvalidStructureException",
      /^Triggers on tag can only be used with V2 pipelines$/,
      (p) =>
        Object.assign(p, {
          triggers: [{ providerType: "CodeStarSourceConnection", gitConfiguration: { sourceActionName: "Source" } }],
        }),
    ],
    [
      "InvalidStructureException",
      /^Triggers for connections must reference a CodeStarSourceConnection action\.$/,
      (p) =>
        Object.assign(p, {
          pipelineType: "V2",
          triggers: [{ providerType: "CodeStarSourceConnection", gitConfiguration: { sourceActionName: "X" } }],
        }),
    ],
    ["InvalidStructureException", /must have an artifact store/, (p) => Object.assign(p, { artifactStore: undefined })],
    [
      "InvalidStructureException",
      /The following region is missing in 'pipeline\.artifactStores': us-east-1\.$/,
      (p) => Object.assign(p, { artifactStores: { "eu-west-1": p.artifactStore }, artifactStore: undefined }),
    ],
    [
      "InvalidStructureException",
      /^CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::111122223333:role\/none$/,
      (p) => Object.assign(p, { roleArn: `${ROLE.slice(0, -8)}none` }),
    ],
    [
      "InvalidStageDeclarationException",
      /^Stage name 'Build' is used more than once$/,
      (p) => Object.assign(p.stages[2]!, { name: "Build" }),
    ],
    [
      "InvalidStageDeclarationException",
      /^Stage level conditions can only be used with V2 pipelines\.$/,
      (p) => Object.assign(p.stages[2]!, { onFailure: { result: "ROLLBACK" } }),
    ],
    [
      "InvalidBlockerDeclarationException",
      /reserved for future use/,
      (p) => Object.assign(p.stages[2]!, { blockers: [{ name: "b", type: "Schedule" }] }),
    ],
    [
      "InvalidActionDeclarationException",
      /^ActionType \(Category: 'Deploy', Provider: 'ECSX', Owner: 'AWS', Version: '1'\) in action 'Deploy' is not available in region 'US_EAST_1'$/,
      (p) => Object.assign(p.stages[2]!.actions[0]!.actionTypeId!, { provider: "ECSX" }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Action configuration for action 'Deploy' is missing required configuration 'ServiceName'$/,
      (p) => Object.assign(p.stages[2]!.actions[0]!, { configuration: { ClusterName: "c" } }),
    ],
    [
      "InvalidActionDeclarationException",
      /contains unknown configuration 'Colour'$/,
      (p) => Object.assign(p.stages[2]!.actions[0]!.configuration!, { Colour: "red" }),
    ],
    [
      "InvalidActionDeclarationException",
      /DeploymentTimeout '61' must be a number of minutes from 1 to 60$/,
      (p) => Object.assign(p.stages[2]!.actions[0]!.configuration!, { DeploymentTimeout: "61" }),
    ],
    [
      "InvalidActionDeclarationException",
      /EnvironmentVariables is not valid JSON/,
      (p) => Object.assign(p.stages[1]!.actions[0]!.configuration!, { EnvironmentVariables: "[" }),
    ],
    [
      "InvalidActionDeclarationException",
      /'maybe' for 'DetectChanges', which must be one of true, false/,
      (p) => Object.assign(p.stages[0]!.actions[0]!.configuration!, { DetectChanges: "maybe" }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Action Build declares 0 input artifacts which is less than the minimum count \(1\)$/,
      (p) => Object.assign(p.stages[1]!.actions[0]!, { inputArtifacts: [] }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Action Source declares 2 output artifacts which is more than the maximum count \(1\)$/,
      (p) => Object.assign(p.stages[0]!.actions[0]!, { outputArtifacts: [{ name: "a" }, { name: "b" }] }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Input Artifact Bundle Nothing in action Deploy is not declared as Output Artifact Bundle in any of the preceding actions$/,
      (p) => Object.assign(p.stages[2]!.actions[0]!, { inputArtifacts: [{ name: "Nothing" }] }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Input Artifact Bundle BuildArtifact in action Test/,
      (p) =>
        p.stages[1]!.actions.push({
          ...p.stages[1]!.actions[0]!,
          name: "Test",
          namespace: undefined,
          inputArtifacts: [{ name: "BuildArtifact" }],
          outputArtifacts: [],
        }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Output Artifact Bundle SourceArtifact in action Build is declared more than once/,
      (p) => Object.assign(p.stages[1]!.actions[0]!, { outputArtifacts: [{ name: "SourceArtifact" }] }),
    ],
    [
      "InvalidActionDeclarationException",
      /^Action name 'Build' is used more than once in stage 'Build'$/,
      (p) => p.stages[1]!.actions.push(p.stages[1]!.actions[0]!),
    ],
    [
      "InvalidActionDeclarationException",
      /^Namespaces must be unique across the pipeline definition\. .*StageName=\[Source\], ActionName=\[Source\], Namespace=\[SourceVariables\]/,
      (p) => Object.assign(p.stages[1]!.actions[0]!, { namespace: "SourceVariables" }),
    ],
    ["ValidationException", /runOrder/, (p) => Object.assign(p.stages[1]!.actions[0]!, { runOrder: 1000 })],
    ["ValidationException", /pipeline\.name/, (p) => Object.assign(p, { name: "a b" })],
    [
      "ValidationException",
      /actionTypeId' failed to satisfy constraint: Member must not be null/,
      (p) => Object.assign(p.stages[1]!.actions[0]!, { actionTypeId: undefined }),
    ],
  ];
  for (const [name, message, change] of refused) {
    it(`are refused: ${message.source.slice(0, 90)}`, async () => {
      await assert.rejects(
        create(
          changed((pipeline) => {
            pipeline.name = "refused";
            change(pipeline);
          }),
        ),
        { name, message },
      );
      await assert.rejects(made.system.root.send(new GetPipelineCommand({ name: "refused" })), {
        name: "PipelineNotFoundException",
      });
    });
  }

  it("take an artifact that the same stage makes earlier", async () => {
    await create(
      changed((pipeline) => {
        pipeline.name = "run-order";
        const [build] = pipeline.stages[1]!.actions;
        const test = { ...build!, name: "Test", namespace: undefined, outputArtifacts: [], runOrder: 2 };
        pipeline.stages[1]!.actions.push({ ...test, inputArtifacts: [{ name: "BuildArtifact" }] });
      }),
    );
  });

  it("show which action types there are", async () => {
    const { actionTypes = [] } = await made.system.root.send(new ListActionTypesCommand({ actionOwnerFilter: "AWS" }));
    const ecs = actionTypes.find(({ id }) => id?.provider === "ECS");
    assert.deepEqual(ecs?.inputArtifactDetails, { minimumCount: 1, maximumCount: 1 });
    assert.deepEqual(
      (await made.system.root.send(new ListActionTypesCommand({ actionOwnerFilter: "Custom" }))).actionTypes,
      [],
    );
    const id = { category: "Deploy", owner: "AWS", provider: "ECS", version: "1" } as const;
    const { actionType } = await made.system.root.send(new GetActionTypeCommand(id));
    assert.equal(actionType?.properties?.find(({ name }) => name === "FileName")?.optional, true);
    await assert.rejects(made.system.root.send(new GetActionTypeCommand({ ...id, provider: "X" })), {
      name: "ActionTypeNotFoundException",
    });
  });
});
