/** Strings and the structural characters of JSON; what lies between them does not matter here. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The first key that occurs twice in one object of a text that JSON.parse has accepted, else undefined. JSON.parse itself
 * silently takes the last value, so that a reader and IAM might see different policies.
 */
export function duplicateKey(json: string): { readonly key: string; readonly position: number } | undefined {
  const open: (Set<string> | undefined)[] = [];
  let latest: { readonly token: string; readonly position: number } | undefined;
  for (const { 0: token, index: position } of json.matchAll(TOKEN)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":" && latest !== undefined) {
      const key = JSON.parse(latest.token) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return { key, position: latest.position };
      keys?.add(key);
    }
    latest = token.startsWith('"') ? { token, position } : undefined;
  }
  return undefined;
}
