/** Files with secrets in them. */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";

/** For its owner only (0600), and whole or not at all: a kill leaves either the old content or the new. */
export function writePrivateFile(file: string, content: object): void {
  const temporary = `${file}.${process.pid}.new`;
  const descriptor = openSync(temporary, "w", 0o600);
  try {
    writeFileSync(descriptor, `${JSON.stringify(content, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}
