/** Every service of this build; what is not listed here does not exist. */
import type { Service } from "#gateway/service.ts";
import { codebuild } from "./codebuild/index.ts";
import { codeconnections } from "./codeconnections/index.ts";
import { codepipeline } from "./codepipeline/index.ts";
import { codestarConnections } from "./codestar-connections/index.ts";
import { ecr } from "./ecr/index.ts";
import { ecs } from "./ecs/index.ts";
import { elbv2 } from "./elbv2/index.ts";
import { iam } from "./iam/index.ts";
import { kms } from "./kms/index.ts";
import { logs } from "./logs/index.ts";
import { organizations } from "./organizations/index.ts";
import { s3 } from "./s3/index.ts";
import { sts } from "./sts/index.ts";

export const services: readonly Service[] = [
  codebuild,
  codepipeline,
  codestarConnections,
  codeconnections,
  ecr,
  ecs,
  elbv2,
  iam,
  kms,
  logs,
  organizations,
  s3,
  sts,
];
