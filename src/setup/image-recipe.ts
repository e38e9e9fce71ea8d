import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** The images of `images/`, one folder each. */
export const IMAGE_NAMES = ["standard", "cruddur-python"] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

/** `images/<name>/recipe.json`: a Debian release, the packages on top of its smallest system, and the image's settings. */
export interface ImageRecipe {
  readonly description: string;
  /** A public image to use instead where its registry answers. */
  readonly pull?: string;
  readonly release: string;
  readonly packages: readonly string[];
  /** Paths, with `*`, that dpkg does not unpack, beside documentation, manuals and translations. */
  readonly leaveOut: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** What every image leaves out. */
const LEFT_OUT_EVERYWHERE = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"];

/** Raised when the way recipes are carried out changes, so that images are made anew. */
const REVISION = 1;

export function imageRecipe(name: ImageName): ImageRecipe {
  return JSON.parse(readFileSync(new URL(`../../images/${name}/recipe.json`, import.meta.url), "utf8"));
}

/** The reference under which the engine holds the image: its tag is the hash of the recipe, so it never goes stale. */
export function imageReference(name: ImageName): string {
  const { description, ...recipe } = imageRecipe(name);
  const identity = JSON.stringify([REVISION, process.arch, recipe]);
  return `slipway/${name}:${createHash("sha256").update(identity).digest("hex").slice(0, 16)}`;
}

/** dpkg's own option lines (dpkg.cfg) for the paths to leave out. */
export function dpkgOptions(recipe: ImageRecipe): string[] {
  return [...LEFT_OUT_EVERYWHERE, ...recipe.leaveOut].map((pattern) => `path-exclude=${pattern}`);
}

/** The image's settings as Dockerfile instructions, one a line. */
export function imageSettings(recipe: ImageRecipe): string {
  const environment = Object.entries(recipe.environment).map(([name, value]) => `ENV ${name}=${JSON.stringify(value)}`);
  return [...environment, `CMD ${JSON.stringify(recipe.command)}`].join("\n");
}
