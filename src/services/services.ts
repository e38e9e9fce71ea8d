/** Every service of this build; what is not listed here does not exist. */
import type { Service } from "#gateway/service.ts";
import { ecr } from "./ecr/index.ts";
import { iam } from "./iam/index.ts";
import { logs } from "./logs/index.ts";
import { s3 } from "./s3/index.ts";
import { sts } from "./sts/index.ts";

export const services: readonly Service[] = [ecr, iam, logs, s3, sts];
