/**
 * What DescribeServices' events say, in AWS's words.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
 */
interface Target {
  readonly targetGroupArn: string;
  readonly port: number;
  readonly description: string | undefined;
}

const named = (ids: readonly string[]) => ids.map((id) => `(task ${id})`).join(" ");

export const serviceEvents = {
  started: (service: string, ids: readonly string[]) =>
    `(service ${service}) has started ${ids.length} tasks: ${named(ids)}.`,
  stopped: (service: string, ids: readonly string[]) =>
    `(service ${service}) has stopped ${ids.length} running tasks: ${named(ids)}.`,
  registered: (service: string, count: number, targetGroupArn: string) =>
    `(service ${service}) registered ${count} targets in (target-group ${targetGroupArn})`,
  deregistered: (service: string, count: number, targetGroupArn: string) =>
    `(service ${service}) deregistered ${count} targets in (target-group ${targetGroupArn})`,
  draining: (service: string, count: number) =>
    `(service ${service}) has begun draining connections on ${count} tasks.`,
  steady: (service: string) => `(service ${service}) has reached a steady state.`,
  deploymentCompleted: (service: string, id: string) => `(service ${service}) (deployment ${id}) deployment completed.`,
  deploymentFailed: (service: string, id: string) =>
    `(service ${service}) (deployment ${id}) deployment failed: tasks failed to start.`,
  rollingBack: (service: string, id: string) => `(service ${service}) rolling back to (deployment ${id}).`,
  impaired: (service: string) =>
    `(service ${service}) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.`,
  unplaced: (service: string) =>
    `(service ${service}) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.`,
  failedContainerChecks: (service: string, id: string) =>
    `(service ${service}) (task ${id}) failed container health checks.`,
  unhealthyTarget: (service: string, { port, targetGroupArn, description }: Target) =>
    `(service ${service}) (port ${port}) is unhealthy in (target-group ${targetGroupArn}) due to (reason ${description ?? "Health checks failed"}).`,
  failedToLaunch: (service: string, error: string) =>
    `(service ${service}) failed to launch a task with (error ${error}).`,
} as const;
