/** CodeBuild and ECS that do what a test says: strict fakes behind the real wire models. */
import * as codebuildSdk from "@aws-sdk/client-codebuild";
import * as ecsSdk from "@aws-sdk/client-ecs";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { ZipFile } from "yazl";
import { defineService } from "#gateway/service.ts";
import { ACCOUNT, REGION, type TestSystem } from "#tests/helpers/test-system.ts";

/** Builds end when the test says so. */
export class FakeCodeBuild {
  readonly started: codebuildSdk.StartBuildCommandInput[] = [];
  /** The first answers of StartBuild are lost, as in a crash: the build starts and nobody hears of it. */
  answersToLose = 0;
  readonly #builds = new Map<string, codebuildSdk.Build>();

  readonly service = defineService({
    name: "codebuild",
    sdk: codebuildSdk,
    Client: codebuildSdk.CodeBuildClient,
    operations: {
      StartBuild: {
        authorize: {
          action: "codebuild:StartBuild",
          resources: (input: codebuildSdk.StartBuildInput) => [
            `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${input.projectName}`,
          ],
        },
        run: (input) => this.#start(input as codebuildSdk.StartBuildCommandInput),
      },
      BatchGetBuilds: {
        authorize: { action: "codebuild:BatchGetBuilds", resources: () => ["*"] },
        run: ({ ids }) => ({ builds: ids!.map((id) => this.#builds.get(id)!) }),
      },
    },
    limits: {},
    validation: { code: "InvalidInputException" },
    migrations: [],
  });

  #start(input: codebuildSdk.StartBuildCommandInput): { build: codebuildSdk.Build } {
    const id = `${input.projectName}:${input.idempotencyToken}`;
    if (input.projectName === "missing") {
      const message = "Project cannot be found: missing";
      throw new codebuildSdk.ResourceNotFoundException({ message, $metadata: {} });
    }
    const known = this.#builds.get(id);
    if (!known) {
      this.started.push(input);
      this.#builds.set(id, { id, buildStatus: "IN_PROGRESS" });
    }
    if (this.answersToLose-- > 0) throw new Error("the process died before the answer was written down");
    return { build: this.#builds.get(id)! };
  }

  /** Ends the last build; a successful one leaves its artifact where it was asked to. */
  async finish(
    system: TestSystem,
    end: Partial<codebuildSdk.Build>,
    files: Record<string, string> = {},
  ): Promise<void> {
    const input = this.started.at(-1)!;
    const id = `${input.projectName}:${input.idempotencyToken}`;
    const { location, path, name } = input.artifactsOverride!;
    if (end.buildStatus === "SUCCEEDED") {
      const Body = await zipped(files);
      await system.root.send(new PutObjectCommand({ Bucket: location, Key: `${path}/${name}`, Body }));
    }
    this.#builds.set(id, { ...this.#builds.get(id), ...end });
    system.bus.publish("codebuild:build", input.idempotencyToken!);
  }
}

/** One service with one task definition; deployments complete when the test says so. */
export class FakeEcs {
  readonly registered: ecsSdk.RegisterTaskDefinitionCommandInput[] = [];
  readonly taskDefinition: ecsSdk.TaskDefinition = {
    family: "backend-flask",
    revision: 1,
    taskDefinitionArn: taskDefinitionArn(1),
    status: "ACTIVE",
    cpu: "256",
    requiresCompatibilities: ["FARGATE"],
    compatibilities: ["EC2", "FARGATE"],
    containerDefinitions: [
      { name: "backend-flask", image: "old", portMappings: [{ containerPort: 4567 }] },
      { name: "xray", image: "xray:1" },
    ],
  };
  deployments: ecsSdk.Deployment[] = [
    {
      id: "ecs-svc/1",
      status: "PRIMARY",
      taskDefinition: taskDefinitionArn(1),
      rolloutState: "COMPLETED",
      desiredCount: 1,
      runningCount: 1,
    },
  ];

  readonly service = defineService({
    name: "ecs",
    sdk: ecsSdk,
    Client: ecsSdk.ECSClient,
    operations: {
      DescribeServices: {
        authorize: { action: "ecs:DescribeServices", resources: () => ["*"] },
        run: ({ cluster, services }) => {
          if (cluster !== "cruddur")
            throw new ecsSdk.ClusterNotFoundException({ message: "Cluster not found.", $metadata: {} });
          return { services: services?.[0] === "backend-flask" ? [this.#view()] : [] };
        },
      },
      DescribeTaskDefinition: {
        authorize: { action: "ecs:DescribeTaskDefinition", resources: () => ["*"] },
        run: () => ({ taskDefinition: this.taskDefinition, tags: [{ key: "app", value: "cruddur" }] }),
      },
      RegisterTaskDefinition: {
        authorize: { action: "ecs:RegisterTaskDefinition", resources: () => ["*"] },
        run: (input) => {
          this.registered.push(input as ecsSdk.RegisterTaskDefinitionCommandInput);
          return { taskDefinition: { taskDefinitionArn: taskDefinitionArn(this.registered.length + 1) } };
        },
      },
      UpdateService: {
        authorize: { action: "ecs:UpdateService", resources: () => ["*"] },
        run: ({ taskDefinition }) => {
          const old = this.deployments.map((deployment) => ({ ...deployment, status: "ACTIVE" }));
          const id = `ecs-svc/${this.deployments.length + 1}`;
          const ours = { id, status: "PRIMARY", taskDefinition, desiredCount: 1, runningCount: 0 };
          this.deployments = [{ ...ours, rolloutState: "IN_PROGRESS" }, ...old];
          return { service: this.#view() };
        },
      },
    },
    limits: {},
    validation: { code: "InvalidParameterException" },
    migrations: [],
  });

  #view(): ecsSdk.Service {
    return {
      serviceName: "backend-flask",
      status: "ACTIVE",
      taskDefinition: taskDefinitionArn(1),
      deployments: this.deployments,
    };
  }

  complete(): void {
    this.deployments = [{ ...this.deployments[0], rolloutState: "COMPLETED", runningCount: 1 }];
  }

  fail(rolloutStateReason: string): void {
    this.deployments = [
      { ...this.deployments[0], rolloutState: "FAILED", rolloutStateReason },
      ...this.deployments.slice(1),
    ];
  }
}

function taskDefinitionArn(revision: number): string {
  return `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/backend-flask:${revision}`;
}

async function zipped(files: Record<string, string>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
