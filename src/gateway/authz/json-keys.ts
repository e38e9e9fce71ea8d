/** Strings and the structural characters of JSON; what lies between them does not matter here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The first key that occurs twice in one object of a text that JSON.parse has accepted, else undefined. JSON.parse itself
 * silently takes the last value, so that a reader and IAM might see different policies.
 */
export function duplicateKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let latest: string | undefined;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":" && latest !== undefined) {
      const key = JSON.parse(latest) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    latest = token.startsWith('"') ? token : undefined;
  }
  return undefined;
}
