/**
 * Requests per second of one core: Slipway alone on core 0, the clients alone on core 1, SigV4 and IAM on as always.
 * Asked by the administrator, whose one policy allows everything, and by a user whose policies take longer to read.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { CreateProjectCommand } from "@aws-sdk/client-codebuild";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  type IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { type Clients, clientsOf } from "#demo/clients.ts";
import { isInstalled, run } from "#setup/command.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";
import type { Load, LoadResult } from "./load-generator.ts";
import type { Conditions, Figure, Measurement } from "./measurement.ts";
import { type Key, signedRequests, type WireOperation } from "./signed-requests.ts";

const GOAL = { atLeast: 5_000 };
const CONNECTIONS = 32;
const SECONDS = 5;
const PROJECTS = 50;
const GENERATOR = fileURLToPath(new URL("load-generator.ts", import.meta.url));

/** "requests" is also what `--only` takes. */
export const requests: Measurement = { name: "requests", runs: 3, containers: false, measure };

const OPERATIONS: readonly (WireOperation & { readonly goal?: typeof GOAL })[] = [
  { service: "codebuild", target: "CodeBuild_20161006.ListProjects", body: "{}", goal: GOAL },
  { service: "codebuild", target: "CodeBuild_20161006.BatchGetProjects", body: '{"names":["bench-7"]}', goal: GOAL },
  { service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15" },
];

/** Every run is a process of its own: where the system puts a process's pages alone can cost it a tenth. */
async function measure({ runs, log }: Conditions): Promise<readonly Figure[]> {
  const figures = new Map<string, Figure & { values: number[] }>();
  for (let run = 1; run <= runs; run++) {
    for (const { value, ...figure } of await measuredOnce(log)) {
      const values = figures.get(figure.name)?.values ?? [];
      values.push(value);
      figures.set(figure.name, { ...figure, values });
    }
  }
  return [...figures.values()];
}

type Measured = Omit<Figure, "values"> & { readonly value: number };

async function measuredOnce(log: Conditions["log"]): Promise<readonly Measured[]> {
  await using slipway = await SlipwayProcess.start();
  const { running } = slipway;
  const clients = clientsOf(running);
  await createProjects(clients);
  const keys: Readonly<Record<string, Key>> = {
    administrator: running,
    "user with policies": await policyUser(clients.iam),
  };
  const pinned = await pinnedTo(0, running.pid);
  if (!pinned) log("taskset (util-linux) is missing or there is one core only: nothing is pinned");
  const load = (operation: WireOperation, key: Key): Promise<LoadResult> => {
    const requests = signedRequests(operation, key, running);
    return underLoad({ port: running.port, connections: CONNECTIONS, seconds: SECONDS, pinned, requests });
  };

  // What is measured first would otherwise pay for the compiling of what all of them run.
  await load(OPERATIONS[0]!, running);

  const measured: Measured[] = [];
  const busy: number[] = [];
  for (const { goal, ...operation } of OPERATIONS) {
    for (const [who, key] of Object.entries(keys)) {
      const before = cpuSeconds(running.pid);
      const { answered, total, seconds } = await load(operation, key);
      const rate = answered / seconds;
      const cost = (cpuSeconds(running.pid) - before) / total;
      const name = `${operation.target?.split(".")[1] ?? "GetCallerIdentity"}, ${who}`;
      log(`${name}: ${rate.toFixed(0)} requests/s, ${(cost * 1e6).toFixed(0)} µs each`);
      measured.push({ name, unit: "requests/s", value: rate, ...(goal && { goal }) });
      // Says the same on a machine that is busy with something else too.
      measured.push({ name: `  CPU time of ${name}`, unit: "µs", value: cost * 1e6 });
      busy.push(rate * cost * 100);
    }
  }
  // Far below 100 it would be the clients that are measured.
  measured.push({ name: "  Slipway's core was busy, at least", unit: "%", value: Math.min(...busy) });
  return measured;
}

async function createProjects({ iam, codebuild }: Clients): Promise<void> {
  const trust = { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: "bench", AssumeRolePolicyDocument: policy([trust]) }),
  );
  for (let number = 0; number < PROJECTS; number++) {
    await codebuild.send(
      new CreateProjectCommand({
        name: `bench-${number}`,
        source: {
          type: "NO_SOURCE",
          buildspec: "version: 0.2\nphases:\n  build:\n    commands:\n      - echo hello\n",
        },
        artifacts: { type: "NO_ARTIFACTS" },
        environment: {
          type: "LINUX_CONTAINER",
          image: "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
          computeType: "BUILD_GENERAL1_SMALL",
          environmentVariables: [{ name: "STAGE", value: "production" }],
        },
        serviceRole: Role!.Arn!,
      }),
    );
  }
}

/** Three statements in a managed policy and one inline: conditions, several actions, a Deny. */
async function policyUser(iam: IAMClient): Promise<Key> {
  const UserName = "bench";
  await iam.send(new CreateUserCommand({ UserName }));
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: "bench-builds",
      PolicyDocument: policy([
        { Effect: "Allow", Action: ["codebuild:List*", "codebuild:Describe*"], Resource: "*" },
        {
          Effect: "Allow",
          Action: ["codebuild:BatchGet*", "codebuild:StartBuild"],
          Resource: "arn:aws:codebuild:*:*:project/bench-*",
        },
        {
          Effect: "Deny",
          Action: "codebuild:Delete*",
          Resource: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]),
    }),
  );
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: Policy!.Arn! }));
  const logs = {
    Effect: "Allow",
    Action: ["logs:GetLogEvents", "logs:FilterLogEvents"],
    Resource: "arn:aws:logs:*:*:log-group:/bench/*",
  };
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "logs", PolicyDocument: policy([logs]) }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
}

function policy(statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** Keeps all threads of a running process on one core; false where that cannot be done. */
async function pinnedTo(core: number, pid: number): Promise<boolean> {
  const { availableParallelism } = await import("node:os");
  if (availableParallelism() < 2 || !isInstalled("taskset")) return false;
  await run("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)]);
  return true;
}

/** Of all threads, as Linux counts it: in hundredths of a second. */
function cpuSeconds(pid: number): number {
  // The second field is the command in brackets, which may hold spaces; user and system time are the 14th and 15th.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Runs the clients in a process of their own. Throws unless every request was answered 200. */
async function underLoad(load: Load): Promise<LoadResult> {
  const [command, ...args] = [...(load.pinned ? ["taskset", "--cpu-list", "1"] : []), process.execPath, GENERATOR];
  const child = spawn(command!, args, { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  child.stdin.end(JSON.stringify(load));
  const output = await text(child.stdout);
  const [status] = await closed;
  if (status !== 0) throw new Error(`The load generator ended with ${status}`);
  const result = JSON.parse(output) as LoadResult;
  if (result.refusal !== undefined) throw new Error(`A request was not answered 200 but: ${result.refusal}`);
  return result;
}
