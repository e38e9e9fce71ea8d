/**
 * The role templates that AWS publishes, as far as they are for services that there are here: `PowerUserRoleTemplate`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_role-template.html
 */
import type { PolicyTemplate } from "./render.ts";

export interface RoleTemplate {
  /** With the major version behind the last colon. */
  readonly arn: string;
  readonly name: string;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly managedBy: string;
  readonly namePattern: string;
  readonly descriptionPattern: string;
  readonly trustPolicy: PolicyTemplate;
  readonly managedPolicyArns: readonly string[];
  /** Seconds. */
  readonly maxSessionDuration: number;
  /** Strings all of them. */
  readonly parameters: readonly TemplateParameter[];
  readonly createdAt: Date;
}

export interface TemplateParameter {
  readonly name: string;
  readonly description: string;
  /** Without one a value is required. */
  readonly defaultValue?: string;
}

const POWER_USER: RoleTemplate = {
  arn: "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1",
  name: "PowerUserRoleTemplate",
  majorVersion: 1,
  minorVersion: 0,
  managedBy: "iam.amazonaws.com",
  namePattern: "@{RoleName}",
  descriptionPattern: "Power user role for @{AWSServiceName}",
  trustPolicy: {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "@{AWSServiceName}" }, Action: "sts:AssumeRole" }],
  },
  managedPolicyArns: ["arn:aws:iam::aws:policy/PowerUserAccess"],
  maxSessionDuration: 3600,
  parameters: [
    { name: "AWSServiceName", description: "Service principal of the service" },
    { name: "RoleName", description: "Customized name for the role", defaultValue: "PowerUserRole" },
  ],
  createdAt: new Date("2026-06-12T02:57:08Z"),
};

/** `minorVersion`: undefined for the default one. undefined where there is no such version. */
export function roleTemplateOf(arn: string, minorVersion: number = POWER_USER.minorVersion): RoleTemplate | undefined {
  return arn === POWER_USER.arn && minorVersion === POWER_USER.minorVersion ? POWER_USER : undefined;
}
