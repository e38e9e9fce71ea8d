import type * as sdk from "@aws-sdk/client-codebuild";
import type { OperationOf } from "#gateway/operation.ts";

/** https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html, as far as they run here. */
const IMAGES: Readonly<Record<string, readonly sdk.EnvironmentImage[]>> = {
  AMAZON_LINUX_2: [
    {
      name: "aws/codebuild/amazonlinux-x86_64-standard:5.0",
      description: "AWS CodeBuild - Amazon Linux 2023 x86_64 standard 5.0",
      versions: ["aws/codebuild/amazonlinux-x86_64-standard:5.0"],
    },
    {
      name: "aws/codebuild/amazonlinux2-x86_64-standard:4.0",
      description: "AWS CodeBuild - Amazon Linux 2 x86_64 standard 4.0",
      versions: ["aws/codebuild/amazonlinux2-x86_64-standard:4.0"],
    },
    {
      name: "aws/codebuild/amazonlinux2-x86_64-standard:5.0",
      description: "AWS CodeBuild - Amazon Linux 2023 x86_64 standard 5.0",
      versions: ["aws/codebuild/amazonlinux2-x86_64-standard:5.0"],
    },
  ],
  UBUNTU: ["5.0", "6.0", "7.0"].map((version) => ({
    name: `aws/codebuild/standard:${version}`,
    description: `AWS CodeBuild - Ubuntu standard ${version}`,
    versions: [`aws/codebuild/standard:${version}`],
  })),
};

export const ListCuratedEnvironmentImages: OperationOf<sdk.ListCuratedEnvironmentImagesCommand> = {
  authorize: { action: "codebuild:ListCuratedEnvironmentImages", resources: () => ["*"] },
  run: () => ({
    platforms: Object.entries(IMAGES).map(([platform, images]) => ({
      platform: platform as sdk.PlatformType,
      languages: [{ language: "BASE" as const, images: images.map((image) => ({ ...image })) }],
    })),
  }),
};
