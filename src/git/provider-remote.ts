/** Where a Git provider's repositories are for this Slipway, and with which token they are read. */
import { type Remote, repositoryUrl } from "./repository.ts";

/** By provider type in lower case: a folder or URL that holds `OWNER/REPO[.git]`. */
export type ProviderEndpoints = Readonly<Record<string, string | undefined>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether repositories of the provider can be read: it has an endpoint of its own here, or there is a token for its site. */
export function providerIsConfigured(
  provider: string,
  endpoints: ProviderEndpoints,
  environment: Environment = process.env,
): boolean {
  return endpoints[provider.toLowerCase()] !== undefined || tokenOf(provider, environment) !== undefined;
}

/**
 * A provider's repository. The token, `SLIPWAY_<PROVIDER>_TOKEN` (SLIPWAY_GITHUB_TOKEN), goes to https remotes only.
 * Throws GitError for an id that is none.
 */
export function providerRemote(
  provider: string,
  fullRepositoryId: string,
  endpoints: ProviderEndpoints,
  environment: Environment = process.env,
): Remote {
  const url = repositoryUrl(provider, fullRepositoryId, endpoints[provider.toLowerCase()]);
  const token = url.startsWith("https://") ? tokenOf(provider, environment) : undefined;
  return token === undefined ? { url } : { url, token };
}

function tokenOf(provider: string, environment: Environment): string | undefined {
  return environment[`SLIPWAY_${provider.toUpperCase()}_TOKEN`] || undefined;
}
