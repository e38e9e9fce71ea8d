/** The token for a source provider that ImportSourceCredentials left, sealed at rest. */
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
