/** Actions: their types, names, configurations and artifacts. */
import { actionProvider } from "../actions/providers.ts";
import { invalidAction, invalidStructure } from "../errors.ts";
import type { Declaration, DeclaredAction, Scope } from "../model.ts";
import { referencedNamespaces } from "../variables.ts";

const MAX_ACTIONS_IN_STAGE = 50;
/** Namespaces that CodePipeline fills itself. */
const OWN_NAMESPACES = ["codepipeline", "variables"] as const;

/** Throws InvalidActionDeclarationException or InvalidStructureException. */
export function validateActions(declaration: Declaration, scope: Scope): void {
  for (const { name, actions } of declaration.stages) {
    if (actions.length > MAX_ACTIONS_IN_STAGE) {
      throw invalidStructure(`Stage '${name}' has more than ${MAX_ACTIONS_IN_STAGE} actions`);
    }
    const names = new Set<string>();
    for (const action of actions) {
      if (names.has(action.name))
        throw invalidAction(`Action name '${action.name}' is used more than once in stage '${name}'`);
      names.add(action.name);
      validateAction(action, scope);
    }
  }
  validateNamespaces(declaration);
  validateArtifacts(declaration);
}

function validateAction(action: DeclaredAction, { region }: Scope): void {
  const { name, actionTypeId, configuration } = action;
  const provider = actionProvider(actionTypeId);
  if (!provider) {
    const { category, provider: called, owner, version } = actionTypeId;
    const place = region.toUpperCase().replaceAll("-", "_");
    throw invalidAction(
      `ActionType (Category: '${category}', Provider: '${called}', Owner: '${owner}', Version: '${version}') in action '${name}' is not available in region '${place}'`,
    );
  }
  if (action.region !== undefined && action.region !== region) {
    throw invalidAction(
      `Action '${name}' is in the region ${action.region}; actions in other regions than the pipeline's are not built in this version of Slipway`,
    );
  }
  if (action.commands?.length || action.outputArtifacts.some(({ files }) => files?.length)) {
    throw invalidAction(
      `The following action cannot contain a commands field: ${name}. To use the commands field, use a compute action.`,
    );
  }
  if (action.timeoutInMinutes !== undefined && actionTypeId.category !== "Approval") {
    throw invalidAction(`Action '${name}' cannot have a timeout: only manual approval actions can`);
  }
  validateConfiguration(name, configuration, provider);
  validateCount(name, "input", action.inputArtifacts.length, provider.type.inputs);
  validateCount(name, "output", action.outputArtifacts.length, provider.type.outputs);
}

function validateConfiguration(
  name: string,
  configuration: DeclaredAction["configuration"],
  { type, mistake }: NonNullable<ReturnType<typeof actionProvider>>,
): void {
  for (const property of type.properties) {
    if (property.required && !configuration[property.name]) {
      throw invalidAction(
        `Action configuration for action '${name}' is missing required configuration '${property.name}'`,
      );
    }
  }
  for (const [key, value] of Object.entries(configuration)) {
    const property = type.properties.find((candidate) => candidate.name === key);
    if (!property)
      throw invalidAction(`Action configuration for action '${name}' contains unknown configuration '${key}'`);
    if (property.values && !property.values.includes(value) && referencedNamespaces(value).length === 0) {
      throw invalidAction(
        `Action configuration for action '${name}' has the value '${value}' for '${key}', which must be one of ${property.values.join(", ")}. ${property.description}`,
      );
    }
  }
  // Values that are known only when the action runs are checked then.
  const known = Object.values(configuration).every((value) => referencedNamespaces(value).length === 0);
  const reason = known ? mistake?.(configuration) : undefined;
  if (reason !== undefined) throw invalidAction(`Action configuration for action '${name}' is invalid: ${reason}`);
}

function validateCount(
  name: string,
  kind: "input" | "output",
  count: number,
  { minimum, maximum }: { minimum: number; maximum: number },
): void {
  const declares = `Action ${name} declares ${count} ${kind} artifacts which is`;
  if (count < minimum) throw invalidAction(`${declares} less than the minimum count (${minimum})`);
  if (count > maximum) throw invalidAction(`${declares} more than the maximum count (${maximum})`);
}

function validateNamespaces({ stages }: Declaration): void {
  const users = new Map<string, string[]>();
  for (const { name: stage, actions } of stages) {
    for (const { name, namespace } of actions) {
      if (namespace === undefined) continue;
      if ((OWN_NAMESPACES as readonly string[]).includes(namespace)) {
        throw invalidAction(`Action '${name}' has the namespace '${namespace}', which is reserved`);
      }
      const entry = `StageName=[${stage}], ActionName=[${name}], Namespace=[${namespace}]`;
      users.set(namespace, [...(users.get(namespace) ?? []), entry]);
    }
  }
  const shared = [...users.values()].filter((entries) => entries.length > 1).flat();
  if (shared.length > 0) {
    throw invalidAction(
      `Namespaces must be unique across the pipeline definition. The following occur more than once in the pipeline. ${shared.join(" ")}`,
    );
  }
}

/** Each artifact is made once, and before it is used: in an earlier stage, or in the same one with a lower runOrder. */
function validateArtifacts({ stages }: Declaration): void {
  const produced = new Set<string>();
  for (const { actions } of stages) {
    const turns = [...new Set(actions.map(({ runOrder }) => runOrder))].sort((one, other) => one - other);
    for (const turn of turns) {
      const together = actions.filter(({ runOrder }) => runOrder === turn);
      for (const { name, inputArtifacts } of together) {
        const missing = inputArtifacts.find((artifact) => !produced.has(artifact.name));
        if (missing) {
          throw invalidAction(
            `Input Artifact Bundle ${missing.name} in action ${name} is not declared as Output Artifact Bundle in any of the preceding actions`,
          );
        }
      }
      for (const { name, outputArtifacts } of together) {
        for (const artifact of outputArtifacts) {
          if (produced.has(artifact.name)) {
            throw invalidAction(
              `Output Artifact Bundle ${artifact.name} in action ${name} is declared more than once: output artifact names must be unique in a pipeline`,
            );
          }
          produced.add(artifact.name);
        }
      }
    }
  }
  const everything = stages.flatMap(({ actions }) => actions);
  if (everything.every(({ actionTypeId }) => actionTypeId.category === "Source")) {
    throw invalidStructure("Pipeline should contain at least 1 action whose category is not Source");
  }
}
