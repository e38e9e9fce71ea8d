/** What stands in for a name of AWS's managed build images. */
export interface ManagedImage {
  /** The image of `images/` that stands in for it. */
  readonly standIn: "standard";
  /** References under which an engine may hold the real one: built from AWS's Dockerfiles, or pulled from its gallery. */
  readonly real: readonly string[];
}

/**
 * Linux container images that AWS documents, with any tag: a version ("4.0"), a runtime ("corretto11") or either with the
 * date of a release.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html
 */
const MANAGED_LINUX_IMAGE =
  /^aws\/codebuild\/((?:standard|amazonlinux2?-(?:x86_64|aarch64)-(?:standard|base)|amazonlinux2023-(?:x86_64|aarch64)-standard):[\w.-]+)$/;

/**
 * undefined where the name is not that of a managed Linux image: the user's own image, or a managed one that needs another
 * operating system (`aws/codebuild/windows-base:…`) and cannot be had here.
 */
export function managedImage(name: string): ManagedImage | undefined {
  const image = MANAGED_LINUX_IMAGE.exec(name)?.[1];
  return image === undefined ? undefined : { standIn: "standard", real: [name, `public.ecr.aws/codebuild/${image}`] };
}
