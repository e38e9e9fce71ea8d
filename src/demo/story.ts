/**
 * The story of the README as steps: everything from the connection to the pipeline is created, version 1 runs, a pull request
 * with version 2 is merged, and what the pipeline made of it is verified. The demo prints the steps, tests and the benchmark
 * run them one by one.
 */
import { join } from "node:path";
import { commitOf, commitVersion, createCruddurRepository, mergeIntoProd } from "#setup/cruddur-repository.ts";
import { Caller, servedVersion, type Target } from "./caller.ts";
import { type Clients, clientsOf, type Endpoint } from "./clients.ts";
import { postMergedPullRequest } from "./github.ts";
import { HostImages } from "./host-images.ts";
import * as infrastructure from "./infrastructure.ts";
import type { Values } from "./inputs.ts";
import { LONG, until } from "./until.ts";
import * as verification from "./verification.ts";

export interface StoryOptions extends Endpoint {
  readonly port: number;
  readonly account: string;
  /** GitHub's user or organisation. */
  readonly owner: string;
  /** What the connection's provider endpoint is. */
  readonly repositories: string;
  /** The container engine's socket, and the image that stands in for the base image there. */
  readonly socketPath: string;
  readonly baseImage: string;
}

export interface Step {
  readonly title: string;
  run(): Promise<void>;
}

export class Story {
  readonly options: StoryOptions;
  readonly clients: Clients;
  readonly images: HostImages;
  /** What the JSON inputs' placeholders stand for; grows as resources get their ARNs. */
  values: Values;
  target: Target | undefined;
  webhook: { payloadUrl: string; secret: string } | undefined;
  badgeUrl: string | undefined;
  caller: Caller | undefined;
  /** Of the pipeline, before the merge. */
  executions = 0;

  constructor(options: StoryOptions) {
    this.options = options;
    this.clients = clientsOf(options);
    this.images = new HostImages(options.socketPath);
    this.values = {
      ACCOUNT_ID: options.account,
      AWS_DEFAULT_REGION: options.region,
      ARTIFACT_BUCKET: `codepipeline-${options.region}-${options.account}`,
      OWNER: options.owner,
      // There is no EC2 here: any well-formed ids do.
      SUBNET_1: "subnet-0a1b2c3d4e5f60718",
      SUBNET_2: "subnet-0b1c2d3e4f5061728",
      SECURITY_GROUP: "sg-0d1e2f3a4b5c6d7e8",
    };
  }

  /** Everything that has to be there before a merge can be delivered; ends with version 1 served. */
  setUp(): readonly Step[] {
    return [
      { title: "Connection to GitHub", run: () => infrastructure.createConnection(this) },
      { title: "Repository with version 1 on main and prod", run: () => this.#createRepository() },
      { title: "ECR repositories with the base image and version 1", run: () => infrastructure.pushImages(this) },
      { title: "Roles and their policies", run: () => infrastructure.createRoles(this) },
      { title: "Log groups", run: () => infrastructure.createLogGroups(this) },
      { title: "Load balancer and target group", run: () => infrastructure.createLoadBalancer(this) },
      { title: "ECS cluster, task definition and service", run: () => infrastructure.createService(this) },
      { title: "Version 1 answers through the load balancer", run: () => this.serves("1") },
      { title: "CodeBuild project with badge and webhook", run: () => infrastructure.createProject(this) },
      { title: "Pipeline, which runs once as it is created", run: () => infrastructure.createPipeline(this) },
    ];
  }

  /** The merge of `version` and everything that must come of it. */
  delivery(version: string): readonly Step[] {
    return [
      { title: `Pull request with version ${version} merged into prod`, run: () => this.release(version) },
      { title: "Source fetched", run: () => verification.stageSucceeded(this, "Source") },
      { title: "Image built and pushed", run: () => verification.stageSucceeded(this, "Build") },
      { title: "Deployed to ECS", run: () => verification.stageSucceeded(this, "Deploy") },
      { title: `Version ${version} answers through the load balancer`, run: () => this.serves(version) },
      { title: "No request failed meanwhile", run: () => this.stopCaller() },
      { title: "The webhook started a build, and every build passed", run: () => verification.buildsSucceeded(this) },
      { title: "Build logs complete and in order", run: () => verification.logsComplete(this) },
      { title: "The badge says passing", run: () => verification.badgePasses(this) },
    ];
  }

  async release(version: string): Promise<void> {
    const { owner, repositories: folder } = this.options;
    this.executions = await verification.executionCount(this);
    this.caller = new Caller(this.requireTarget());
    const headCommit = await commitVersion({ folder, owner, branch: "main", version });
    const baseCommit = await commitOf({ folder, owner }, "prod");
    const mergeCommit = await mergeIntoProd({ folder, owner });
    if (!this.webhook) throw new Error("There is no webhook yet");
    await postMergedPullRequest(this.webhook, { owner, number: 1, headCommit, baseCommit, mergeCommit });
  }

  async serves(version: string): Promise<void> {
    const target = this.requireTarget();
    await until(
      () => servedVersion(target),
      (served) => served === version,
      LONG,
    );
  }

  async stopCaller(): Promise<void> {
    await this.caller?.stop();
    const { calls = 0, failures = [] } = this.caller ?? {};
    if (failures.length > 0)
      throw new Error(`${failures.length} of ${calls} requests failed: ${failures.slice(0, 3).join("; ")}`);
    if (calls === 0) throw new Error("The client made no request");
  }

  /** Leaves the host's engine without the story's images. Call it once Slipway's containers are gone: they use some. */
  cleanUp(): Promise<void> {
    return infrastructure.removeImages(this);
  }

  requireTarget(): Target {
    if (!this.target) throw new Error("There is no load balancer yet");
    return this.target;
  }

  async #createRepository(): Promise<void> {
    const { owner, account, region, repositories } = this.options;
    await createCruddurRepository({ folder: repositories, owner, account, region });
  }
}

/** Where the demo keeps its repositories below its data folder. */
export function repositoriesFolder(dataDir: string): string {
  return join(dataDir, "repositories");
}
