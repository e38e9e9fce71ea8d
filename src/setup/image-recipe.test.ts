import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { mmdebstrapArguments } from "./bootstrap.ts";
import { dockerfile } from "./build-on-debian.ts";
import { IMAGE_NAMES, type ImageRecipe, imageRecipe, imageReference } from "./image-recipe.ts";
import { managedImage } from "./managed-image.ts";

const recipe: ImageRecipe = {
  description: "a test's",
  release: "bookworm",
  packages: ["jq", "git"],
  leaveOut: ["/opt/*"],
  environment: { LANG: "C.UTF-8" },
  command: ["bash", "-l"],
};

test("every folder of images/ is a recipe and the reverse", () => {
  const entries = readdirSync(new URL("../../images", import.meta.url), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  assert.deepEqual(folders.sort(), [...IMAGE_NAMES].sort());
  for (const name of IMAGE_NAMES) {
    assert.ok(imageRecipe(name).packages.length > 0);
    assert.match(imageReference(name), new RegExp(`^slipway/${name}:[0-9a-f]{16}$`));
  }
});

test("the machine's proxy and frozen mirror are used for building and not left in the image", () => {
  const dump = [
    'Acquire "";',
    'Acquire::http::Proxy "http://user:secret@proxy:3128";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::cdrom::mount "/media/cdrom/";',
  ].join("\n");
  const args = mmdebstrapArguments(recipe, dump);
  assert.deepEqual(
    args.filter((argument) => argument.startsWith("--aptopt")),
    ['--aptopt=Acquire::http::Proxy "http://user:secret@proxy:3128"', '--aptopt=Acquire::Check-Valid-Until "false"'],
  );
  assert.ok(args.some((argument) => argument.startsWith("--customize-hook") && argument.includes("99mmdebstrap")));
  assert.ok(args.includes("--include=jq,git"));
  assert.ok(args.includes("--dpkgopt=path-exclude=/opt/*"));
});

test("the same recipe as a Dockerfile", () => {
  assert.equal(
    dockerfile(recipe, "debian:bookworm-slim"),
    `FROM debian:bookworm-slim
COPY left-out /etc/dpkg/dpkg.cfg.d/slipway
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends jq git && rm -rf /var/lib/apt/lists/*
ENV LANG="C.UTF-8"
CMD ["bash","-l"]
`,
  );
});

test("AWS's managed Linux images have a stand-in, other names have none", () => {
  for (const name of [
    "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
    "aws/codebuild/amazonlinux-x86_64-standard:corretto11",
    "aws/codebuild/amazonlinux2-aarch64-standard:3.0",
    "aws/codebuild/standard:7.0-24.03.14",
  ]) {
    assert.equal(managedImage(name)?.standIn, "standard", name);
  }
  assert.deepEqual(managedImage("aws/codebuild/amazonlinux2-x86_64-standard:4.0")?.real, [
    "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
    "public.ecr.aws/codebuild/amazonlinux2-x86_64-standard:4.0",
  ]);
  for (const name of [
    "aws/codebuild/windows-base:2019-3.0",
    "aws/codebuild/standard",
    "public.ecr.aws/codebuild/amazonlinux2-x86_64-standard:4.0",
    "my/aws/codebuild/standard:7.0",
    "python:3.10",
  ]) {
    assert.equal(managedImage(name), undefined, name);
  }
});
