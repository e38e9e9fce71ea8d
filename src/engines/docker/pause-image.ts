/**
 * The image of the container that owns the network namespace of a group of several: one static program of a few
 * instructions that sleeps for ever. It is generated here, so that no registry is needed.
 */
import { DockerApiError } from "#docker/docker-api.ts";
import type { ContainerCreateOptions } from "#docker/types.ts";
import { type DockerClient, jsonLines, refusalStatus } from "./docker-client.ts";

const pauseImage = "slipway/pause:1";

/**
 * Machine code that waits without end, and the ELF machine number it is for. Both loop, because a stop and continue
 * signal interrupts the wait.
 */
const programs = {
  /** mov eax, 34 (pause); syscall; jmp to the start. */
  amd64: { machine: 62, code: Buffer.from("b822000000" + "0f05" + "ebf7", "hex") },
  /** mov x0…x4, 0; mov x8, 73 (ppoll: this architecture has no pause); svc 0; b to the start. */
  arm64: {
    machine: 183,
    code: words(0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9),
  },
} as const;

function words(...instructions: readonly number[]): Buffer {
  const code = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, index) => {
    code.writeUInt32LE(instruction, index * 4);
  });
  return code;
}

export type Architecture = keyof typeof programs;

/** A static 64-bit ELF executable of one loadable segment (elf(5)). */
export function pauseExecutable(architecture: Architecture): Buffer {
  const { machine, code } = programs[architecture];
  const headerSize = 64;
  const segmentSize = 56;
  const base = 0x400000n;
  const size = headerSize + segmentSize + code.length;

  const header = Buffer.alloc(headerSize);
  Buffer.from("7f454c46020101", "hex").copy(header); // magic, 64 bit, little-endian, version 1
  header.writeUInt16LE(2, 16); // e_type: executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20); // e_version
  header.writeBigUInt64LE(base + BigInt(headerSize + segmentSize), 24); // e_entry
  header.writeBigUInt64LE(BigInt(headerSize), 32); // e_phoff
  header.writeUInt16LE(headerSize, 52);
  header.writeUInt16LE(segmentSize, 54);
  header.writeUInt16LE(1, 56); // e_phnum

  const segment = Buffer.alloc(segmentSize);
  segment.writeUInt32LE(1, 0); // PT_LOAD
  segment.writeUInt32LE(5, 4); // readable, executable
  segment.writeBigUInt64LE(base, 16); // p_vaddr
  segment.writeBigUInt64LE(base, 24); // p_paddr
  segment.writeBigUInt64LE(BigInt(size), 32); // p_filesz
  segment.writeBigUInt64LE(BigInt(size), 40); // p_memsz
  segment.writeBigUInt64LE(0x10000n, 48); // p_align: the largest page either architecture uses

  return Buffer.concat([header, segment, code]);
}

/** Returns the new container's id. */
export async function createContainer(
  client: DockerClient,
  { name, ...body }: ContainerCreateOptions,
): Promise<string> {
  const { Id: id } = await client.call((docker) =>
    docker.post<{ Id: string }>("/containers/create", { query: { name }, body }),
  );
  return id;
}

/** Creates a container of the pause image, which the daemon is given first where it lacks it. */
export async function createPauseContainer(client: DockerClient, options: ContainerCreateOptions): Promise<string> {
  const create = () => createContainer(client, { ...options, Image: pauseImage });
  try {
    return await create();
  } catch (error) {
    if (refusalStatus(error) !== 404) throw error;
    await importPauseImage(client);
    return await create();
  }
}

async function importPauseImage(client: DockerClient): Promise<void> {
  const { Arch: architecture } = await client.call((docker) => docker.get<{ Arch: string }>("/version"));
  if (!isKnown(architecture)) {
    throw new Error(`Groups of several containers are not supported on ${architecture}: amd64 and arm64 are.`);
  }
  const { pack } = await import("tar-stream");
  const files = pack();
  files.entry({ name: "pause", mode: 0o755 }, pauseExecutable(architecture));
  files.finalize();
  const [repo, tag] = pauseImage.split(":");
  const progress = await client.call((docker) =>
    docker.open("POST", "/images/create", {
      query: { fromSrc: "-", repo, tag, changes: 'ENTRYPOINT ["/pause"]' },
      body: files,
    }),
  );
  for await (const event of jsonLines(progress)) {
    if (typeof event.error === "string") throw new DockerApiError(500, event.error);
  }
}

function isKnown(architecture: string): architecture is Architecture {
  return Object.hasOwn(programs, architecture);
}
