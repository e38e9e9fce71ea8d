/**
 * The roles that belong to services, by the service that assumes them, as the services' user guides name role and policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
 */
import { invalidInput } from "./errors.ts";

export interface LinkedRole {
  readonly role: string;
  /** Of the path `/aws-service-role/`. */
  readonly policy: string;
  /** Several of the roles may exist: "AWSServiceRoleForAutoScaling_blue". */
  readonly suffix?: true;
}

const LINKED_ROLES: Readonly<Record<string, LinkedRole>> = {
  "access-analyzer.amazonaws.com": {
    role: "AWSServiceRoleForAccessAnalyzer",
    policy: "AccessAnalyzerServiceRolePolicy",
  },
  "apidestinations.events.amazonaws.com": {
    role: "AWSServiceRoleForAmazonEventBridgeApiDestinations",
    policy: "AmazonEventBridgeApiDestinationsServiceRolePolicy",
  },
  "autoscaling.amazonaws.com": {
    role: "AWSServiceRoleForAutoScaling",
    policy: "AutoScalingServiceRolePolicy",
    suffix: true,
  },
  "cloudtrail.amazonaws.com": { role: "AWSServiceRoleForCloudTrail", policy: "CloudTrailServiceRolePolicy" },
  "codestar-notifications.amazonaws.com": {
    role: "AWSServiceRoleForCodeStarNotifications",
    policy: "AWSCodeStarNotificationsServiceRolePolicy",
  },
  "config-conforms.amazonaws.com": {
    role: "AWSServiceRoleForConfigConforms",
    policy: "ConfigConformsServiceRolePolicy",
  },
  "config.amazonaws.com": { role: "AWSServiceRoleForConfig", policy: "AWSConfigServiceRolePolicy" },
  "delivery.logs.amazonaws.com": {
    role: "AWSServiceRoleForLogDelivery",
    policy: "AWSServiceRoleForLogDeliveryPolicy",
  },
  "ecr.amazonaws.com": { role: "AWSServiceRoleForECRTemplate", policy: "ECRTemplateServiceRolePolicy" },
  "ecs.amazonaws.com": { role: "AWSServiceRoleForECS", policy: "AmazonECSServiceRolePolicy" },
  "ecs.application-autoscaling.amazonaws.com": {
    role: "AWSServiceRoleForApplicationAutoScaling_ECSService",
    policy: "AWSApplicationAutoscalingECSServicePolicy",
  },
  "elasticloadbalancing.amazonaws.com": {
    role: "AWSServiceRoleForElasticLoadBalancing",
    policy: "AWSElasticLoadBalancingServiceRolePolicy",
  },
  "events.amazonaws.com": { role: "AWSServiceRoleForCloudWatchEvents", policy: "CloudWatchEventsServiceRolePolicy" },
  "guardduty.amazonaws.com": { role: "AWSServiceRoleForAmazonGuardDuty", policy: "AmazonGuardDutyServiceRolePolicy" },
  "inspector2.amazonaws.com": {
    role: "AWSServiceRoleForAmazonInspector2",
    policy: "AmazonInspector2ServiceRolePolicy",
  },
  "malware-protection.guardduty.amazonaws.com": {
    role: "AWSServiceRoleForAmazonGuardDutyMalwareProtection",
    policy: "AmazonGuardDutyMalwareProtectionServiceRolePolicy",
  },
  "mrk.kms.amazonaws.com": {
    role: "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
    policy: "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
  },
  "organizations.amazonaws.com": {
    role: "AWSServiceRoleForOrganizations",
    policy: "AWSOrganizationsServiceTrustPolicy",
  },
  "pullthroughcache.ecr.amazonaws.com": {
    role: "AWSServiceRoleForECRPullThroughCache",
    policy: "AWSECRPullThroughCache_ServiceRolePolicy",
  },
  "replication.ecr.amazonaws.com": {
    role: "AWSServiceRoleForECRReplication",
    policy: "ECRReplicationServiceRolePolicy",
  },
  "repository.sync.codeconnections.amazonaws.com": {
    role: "AWSServiceRoleForGitSync",
    policy: "AWSGitSyncServiceRolePolicy",
  },
  "role-manager.iam.amazonaws.com": {
    role: "AWSServiceRoleForIAMRoleManager",
    policy: "AWSIAMRoleManagerServiceRolePolicy",
  },
  "securityhub.amazonaws.com": { role: "AWSServiceRoleForSecurityHub", policy: "AWSSecurityHubServiceRolePolicy" },
  "ssm.amazonaws.com": { role: "AWSServiceRoleForAmazonSSM", policy: "AmazonSSMServiceRolePolicy" },
  "sso.amazonaws.com": { role: "AWSServiceRoleForSSO", policy: "AWSSSOServiceRolePolicy" },
  "stacksets.cloudformation.amazonaws.com": {
    role: "AWSServiceRoleForCloudFormationStackSetsOrgAdmin",
    policy: "CloudFormationStackSetsOrgAdminServiceRolePolicy",
  },
  "support.amazonaws.com": { role: "AWSServiceRoleForSupport", policy: "AWSSupportServiceRolePolicy" },
  "trustedadvisor.amazonaws.com": {
    role: "AWSServiceRoleForTrustedAdvisor",
    policy: "AWSTrustedAdvisorServiceRolePolicy",
  },
};

/** undefined where the service has none that is known. */
export function linkedRoleOf(service: string): LinkedRole | undefined {
  return Object.hasOwn(LINKED_ROLES, service) ? LINKED_ROLES[service] : undefined;
}

export function servicesWithLinkedRole(): readonly string[] {
  return Object.keys(LINKED_ROLES);
}

/**
 * Nobody's own role may pass for a service-linked one, which SCPs and RCPs do not affect. CreateServiceLinkedRole alone
 * makes those: "A role name can't begin with the reserved prefix AWSServiceRoleFor"
 * (https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html). Throws InvalidInput.
 */
export function refuseServiceLinked(name: string, path = "/"): void {
  if (/^\/aws-service-role\//i.test(path)) throw invalidInput(`The path ${path} is reserved for service-linked roles.`);
  if (/^AWSServiceRoleFor/i.test(name)) throw invalidInput(`The name ${name} is reserved for service-linked roles.`);
}
