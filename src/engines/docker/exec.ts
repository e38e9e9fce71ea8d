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
    const exec = await client.call((docker) =>
      docker.getContainer(container).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true }),
    );
    const response = await client.call(() => exec.start({ Detach: false, Tty: false, abortSignal: signal }));
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for await (const { stream, payload } of frames(response as unknown as AsyncIterable<Buffer>)) {
      output[stream].push(payload);
    }
    return {
      exitCode: await exitCode(client, exec),
      stdout: Buffer.concat(output.stdout).toString("utf8"),
      stderr: Buffer.concat(output.stderr).toString("utf8"),
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw toEngineError(error);
  }
}

async function exitCode(
  client: DockerClient,
  exec: { inspect(): Promise<{ ExitCode: number | null }> },
): Promise<number> {
  for (;;) {
    const { ExitCode: code } = await client.call(() => exec.inspect());
    if (code !== null) return code;
    await delay(exitCodeRetryMs);
  }
}
