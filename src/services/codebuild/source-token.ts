/** The token for a source provider that ImportSourceCredentials left, sealed at rest. */
import type { ProjectSource } from "@aws-sdk/client-codebuild";
import type { CallScope, System } from "#gateway/context.ts";
import { listSourceCredentials } from "./store/source-credentials.ts";

const PURPOSE = "codebuild-source-token";

export function sealedToken(system: System, token: string): string {
  return system.cipher.seal(PURPOSE, token);
}

/**
 * undefined where there is none for sources of this type. Credentials that name a connection or a secret hold no token:
 * the provider's endpoint is asked without one.
 */
export async function sourceToken(system: System, scope: CallScope, sourceType: string): Promise<string | undefined> {
  const credentials = await listSourceCredentials(system.db, scope);
  const found = credentials.find(
    ({ serverType, authType }) =>
      serverType === sourceType && authType !== "CODECONNECTIONS" && authType !== "SECRETS_MANAGER",
  );
  return found && system.cipher.open(PURPOSE, found.sealedToken)?.toString();
}

/** The connection through which a source is reached: its own, else the one that was imported for its type. */
export async function sourceConnection(
  system: System,
  scope: CallScope,
  { auth, type }: ProjectSource,
): Promise<string | undefined> {
  if (auth?.type === "CODECONNECTIONS" && auth.resource) return auth.resource;
  const credentials = await listSourceCredentials(system.db, scope);
  const found = credentials.find(({ serverType, authType }) => serverType === type && authType === "CODECONNECTIONS");
  return found && system.cipher.open(PURPOSE, found.sealedToken)?.toString();
}
