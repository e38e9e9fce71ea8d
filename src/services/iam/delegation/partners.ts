/**
 * Which accounts may ask for delegation, and with which policy templates. On AWS a partner registers both with AWS; here
 * whoever runs Slipway writes them into `delegation-partners.json` in the data folder:
 *
 *     [{ "name": "Example Corp", "accounts": ["444455556666"],
 *        "templates": { "arn:aws:iam:::delegation-template/setup": { "Version": "2012-10-17", "Statement": [ … ] } } }]
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation-partner-guide.html
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServiceFailureException } from "@aws-sdk/client-iam";
import type { Config } from "#gateway/context.ts";
import type { PolicyTemplate } from "../templates/render.ts";

export interface Partner {
  /** "This name is displayed to customers." */
  readonly name: string;
  readonly accounts: readonly string[];
  /** By their ARNs. */
  readonly templates: Readonly<Record<string, PolicyTemplate>>;
}

const FILE = "delegation-partners.json";

/** undefined where the account is no partner's. Throws ServiceFailure where the file is not as it should be. */
export async function partnerOf({ dataDir }: Config, accountId: string): Promise<Partner | undefined> {
  return (await partners(join(dataDir, FILE))).find(({ accounts }) => accounts.includes(accountId));
}

/** Read for each request: there are few, and a partner is registered without a restart. */
async function partners(file: string): Promise<readonly Partner[]> {
  let json: string;
  try {
    json = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw broken((error as Error).message);
  }
  if (!Array.isArray(parsed) || !parsed.every(isPartner)) {
    throw broken("it must be a list of partners, each with name, accounts and templates");
  }
  return parsed;
}

function isPartner(value: unknown): value is Partner {
  const { name, accounts, templates } = (value ?? {}) as Partial<Record<keyof Partner, unknown>>;
  return (
    typeof name === "string" &&
    Array.isArray(accounts) &&
    accounts.every((account) => /^\d{12}$/.test(account)) &&
    isObject(templates) &&
    Object.values(templates).every(isObject)
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(reason: string): Error {
  return new ServiceFailureException({ message: `${FILE} cannot be used: ${reason}`, $metadata: {} });
}
