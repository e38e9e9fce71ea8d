import { setTimeout as delay } from "node:timers/promises";
import type { ExecResult } from "#engines/engine.ts";
import { type DockerClient, toEngineError } from "./docker-client.ts";
import { frames } from "./log-lines.ts";

/** The daemon closes the output a moment before it records the exit code. */
const exitCodeRetryMs = 5;

/** Runs a command in a running container to its end, which aborting does not bring about: docker cannot end an exec. */
export async function executed(
  client: DockerClient,
  container: string,
  command: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ExecResult> {
  signal?.throwIfAborted();
  try {
    const { Id: id } = await client.call((docker) =>
      docker.post<{ Id: string }>(`/containers/${container}/exec`, {
        body: { Cmd: command, AttachStdout: true, AttachStderr: true },
        signal,
      }),
    );
    const response = await client.call((docker) =>
      docker.open("POST", `/exec/${id}/start`, { body: { Detach: false, Tty: false }, signal }),
    );
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for await (const { stream, payload } of frames(response)) {
      output[stream].push(payload);
    }
    return {
      exitCode: await exitCode(client, id),
      stdout: Buffer.concat(output.stdout).toString("utf8"),
      stderr: Buffer.concat(output.stderr).toString("utf8"),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw toEngineError(error);
  }
}

async function exitCode(client: DockerClient, id: string): Promise<number> {
  for (;;) {
    const { ExitCode: code } = await client.call((docker) =>
      docker.get<{ ExitCode: number | null }>(`/exec/${id}/json`),
    );
    if (code !== null) return code;
    await delay(exitCodeRetryMs);
  }
}
