/** Of the Engine API's objects, by its names, the members that Slipway sends or reads. */

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate; the name is in the query. */
export interface ContainerCreateOptions {
  readonly name?: string;
  readonly Image?: string;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Env?: readonly string[];
  readonly WorkingDir?: string | undefined;
  readonly User?: string | undefined;
  readonly Tty?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly Healthcheck?: HealthConfig;
  readonly StopTimeout?: number;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly HostConfig?: HostConfig;
}

export interface HealthConfig {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly Retries?: number;
  readonly StartPeriod?: number;
}

export interface HostConfig {
  readonly Privileged?: boolean;
  readonly CapAdd?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly MaskedPaths?: readonly string[];
  readonly ReadonlyPaths?: readonly string[];
  readonly DeviceCgroupRules?: readonly string[];
  readonly Binds?: readonly string[];
  readonly NetworkMode?: string;
  readonly ExtraHosts?: readonly string[];
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly NanoCpus?: number;
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly Init?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly LogConfig?: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  readonly Mounts?: readonly VolumeMount[];
}

export interface VolumeMount {
  readonly Type: "volume";
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
  readonly VolumeOptions: {
    readonly NoCopy: boolean;
    readonly Labels: Readonly<Record<string, string>>;
    readonly DriverConfig: { readonly Name: string; readonly Options: Readonly<Record<string, string>> };
  };
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerInspect */
export interface ContainerInspectInfo {
  readonly Id: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly Mounts: readonly { readonly Name?: string; readonly Destination: string }[];
}

/** An element of https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerList */
export interface ContainerInfo {
  readonly Id: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string } | undefined>> };
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageInspect */
export interface ImageInspectInfo {
  readonly Id: string;
  readonly RepoDigests: readonly string[] | null;
  readonly Config: {
    readonly Cmd?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | string | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
  };
}

/** An element of https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageList */
export interface ImageInfo {
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Volume/operation/VolumeList */
export interface VolumeList {
  /** The daemon says null where there are none. */
  readonly Volumes: readonly { readonly Name: string }[] | null;
}
