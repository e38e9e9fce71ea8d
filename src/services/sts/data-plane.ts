/**
 * The discovery documents of the accounts' own issuers, for those who verify the tokens of sts:GetWebIdentityToken: under
 * AWS's name, which reaches Slipway through its proxy, and under `ID.tokens.sts.localhost` directly.
 */
import type { ServerResponse } from "node:http";
import type { DataPlane } from "#gateway/service.ts";
import { TOKEN_ALGORITHMS, tokenKey } from "./token-keys.ts";

const HOST = /^([0-9a-f-]{36})\.tokens\.sts\.(global\.api\.aws|localhost)$/;

export const issuerDocuments: DataPlane = {
  matches: ({ host }) => HOST.test(host),
  async handle(request, response, system) {
    const [, id] = HOST.exec((request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase()) ?? [];
    const issuer = `https://${id}.tokens.sts.global.api.aws`;
    const path = URL.parse(request.url ?? "/", issuer)?.pathname; // "//" is none
    if (request.method !== "GET") return answer(response, 405, { message: "Use GET" });
    if (path === "/.well-known/openid-configuration") return answer(response, 200, discovery(issuer));
    if (path !== "/.well-known/jwks.json") return answer(response, 404, { message: "There is nothing here" });
    const keys = await Promise.all(TOKEN_ALGORITHMS.map((algorithm) => tokenKey(system, system.db, algorithm)));
    answer(response, 200, { keys: keys.map(({ publicJwk }) => publicJwk) });
  },
};

function discovery(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: TOKEN_ALGORITHMS,
    claims_supported: ["aud", "exp", "iat", "iss", "jti", "sub", "https://sts.amazonaws.com/"],
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
