/** The JSON files of `examples/cruddur/aws`, as a person gives them to `--cli-input-json`, with their `$NAMES` filled in. */
import { readFile } from "node:fs/promises";

export type Values = Readonly<Record<string, string>>;

export async function filledInput<T>(name: string, values: Values): Promise<T> {
  return JSON.parse(await filledText(name, values)) as T;
}

export async function filledText(name: string, values: Values): Promise<string> {
  const text = await readFile(new URL(`../../examples/cruddur/aws/${name}.json`, import.meta.url), "utf8");
  return text.replace(/\$([A-Z][A-Z0-9_]*)/g, (placeholder, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`${name}.json needs ${placeholder}, which nothing has set yet`);
    return value;
  });
}
