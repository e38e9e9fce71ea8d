/** `slipway COMMAND`: finds the command's file and runs it. */
import { UsageError } from "./options.ts";

const USAGE = `slipway: AWS's delivery stack on your own machine

  slipway up [options]        start; Ctrl-C stops it
    --data DIR                where it keeps everything (~/.slipway, or SLIPWAY_DATA)
    --port N                  4566
    --account ID              the administrator's account (387543059434)
    --region R                ca-central-1
    --database URL            postgres://… instead of SQLite in the data folder; the password best in PGPASSWORD or ~/.pgpass,
                              for everybody on this machine can read a command line
    --engine docker           what runs containers
    --provider NAME=PLACE     where connections find repositories: github=/srv/git holds OWNER/REPO.git
    --detach                  go to the background once ready
    --accept-any-credentials  take any key pair (loopback only)
    --allow-reset             answer POST /_slipway/reset, for test suites
  slipway down                stop it, and the private container engine if there is one
  slipway status              what runs, and how it is
  slipway env                 exports for AWS clients: eval "$(slipway env)"
  slipway rotate-key          a new access key for the administrator; the old one is deleted
  slipway create-service-role codebuild|codepipeline|events|codedeploy-ecs|ecs-task-execution [NAME]
                              the role that AWS's console would make for a project or pipeline; prints its ARN
    --log-group, --bucket, --connection ARN, --push-to REPOSITORY, --subnet ID   what a build needs beside
    --action PROVIDER:KEY=VALUE,…, --like PIPELINE                               what a pipeline does
  slipway aws …               the aws CLI with that environment
  slipway demo [--exit]       deliver the Cruddur back end from a merge to a load balancer

  Every command takes --data DIR.
`;

const COMMANDS: Readonly<Record<string, () => Promise<{ run(args: string[]): Promise<number> }>>> = {
  up: () => import("./up.ts"),
  down: () => import("./down.ts"),
  status: () => import("./status.ts"),
  env: () => import("./env.ts"),
  "rotate-key": () => import("./rotate-key.ts"),
  "create-service-role": () => import("./create-service-role.ts"),
  aws: () => import("./aws.ts"),
  demo: () => import("./demo.ts"),
};

const [name = "help", ...args] = process.argv.slice(2);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (!command) {
  const asked = ["help", "--help", "-h"].includes(name);
  (asked ? process.stdout : process.stderr).write(asked ? USAGE : `slipway: there is no command "${name}"\n\n${USAGE}`);
  process.exitCode = asked ? 0 : 2;
} else {
  try {
    process.exitCode = await (await command()).run(args);
  } catch (error) {
    const expected = error instanceof UsageError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`slipway: ${expected ? (error as Error).message : ((error as Error).stack ?? error)}\n`);
    process.exitCode = expected ? 2 : 1;
  }
}
