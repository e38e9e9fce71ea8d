/**
 * Task sizes. CPU in units (1024 to a vCPU) or as "1 vCPU", memory in MiB or as "2 GB".
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
 */
const GIB = 1024;
const range = (from: number, to: number, step: number) =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);

/** Memory in MiB that each CPU value can be had with. */
const FARGATE_MEMORY: Readonly<Record<number, readonly number[]>> = {
  256: [512, GIB, 2 * GIB],
  512: range(GIB, 4 * GIB, GIB),
  1024: range(2 * GIB, 8 * GIB, GIB),
  2048: range(4 * GIB, 16 * GIB, GIB),
  4096: range(8 * GIB, 30 * GIB, GIB),
  8192: range(16 * GIB, 60 * GIB, 4 * GIB),
  16384: range(32 * GIB, 120 * GIB, 8 * GIB),
};

export const isFargateSize = (cpu: number, memory: number) => FARGATE_MEMORY[cpu]?.includes(memory) ?? false;

/** undefined where the text is no CPU value. */
export function cpuUnits(text: string): number | undefined {
  const match = /^(\d*\.?\d+)\s*(vcpu)?$/i.exec(text.trim());
  if (!match) return undefined;
  const units = Number(match[1]) * (match[2] ? 1024 : 1);
  return Number.isInteger(units) && units > 0 ? units : undefined;
}

/** undefined where the text is no amount of memory. */
export function memoryMiB(text: string): number | undefined {
  const match = /^(\d*\.?\d+)\s*(gb)?$/i.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[1]) * (match[2] ? GIB : 1);
  return Number.isInteger(amount) && amount > 0 ? amount : undefined;
}
