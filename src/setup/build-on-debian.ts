/** Makes images on top of Docker Hub's Debian, for machines that have an engine and a registry but no apt. */
import { pack } from "tar-stream";
import { type DockerApi, jsonLines, type ProgressLine } from "#docker/docker-api.ts";
import { dpkgOptions, type ImageRecipe, imageSettings } from "./image-recipe.ts";

/** Carries the recipe out inside the engine. Returns the new image's id. Throws with the end of the engine's output. */
export async function buildOnDebian(
  docker: DockerApi,
  recipe: ImageRecipe,
  atStep: (step: string) => void,
  base = `debian:${recipe.release}-slim`,
): Promise<string> {
  const context = pack();
  context.entry({ name: "Dockerfile" }, dockerfile(recipe, base));
  context.entry({ name: "left-out" }, `${dpkgOptions(recipe).join("\n")}\n`);
  context.finalize();
  const progress = await docker.open("POST", "/build", { query: { forcerm: true }, body: context });
  let id: string | undefined;
  const output: string[] = [];
  for await (const message of jsonLines<ProgressLine>(progress)) {
    id = message.aux?.ID ?? id;
    const line = (message.stream ?? message.error ?? "").trim();
    if (line !== "") output.push(line);
    if (line.startsWith("Step ")) atStep(line.split(" : ")[0] ?? line);
  }
  if (id === undefined) throw new Error(`The engine did not build the image:\n${output.slice(-8).join("\n")}`);
  return id;
}

/** The recipe as a Dockerfile. */
export function dockerfile(recipe: ImageRecipe, base: string): string {
  return [
    `FROM ${base}`,
    "COPY left-out /etc/dpkg/dpkg.cfg.d/slipway",
    `RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ${recipe.packages.join(" ")} && rm -rf /var/lib/apt/lists/*`,
    imageSettings(recipe),
    "",
  ].join("\n");
}
