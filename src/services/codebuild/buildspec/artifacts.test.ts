import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { pack } from "tar-stream";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import { artifactFiles, listedEntries, zipArchive } from "./artifact-archive.ts";
import { type ArtifactEntry, ArtifactError, expandedArtifacts, selectArtifacts } from "./artifacts.ts";
import type { BuildspecArtifact } from "./buildspec.ts";

const file = (path: string): ArtifactEntry => ({ path, type: "file", size: path.length });
const folder = (path: string): ArtifactEntry => ({ path, type: "directory", size: 0 });
const link = (path: string, linkTarget: string): ArtifactEntry => ({ path, type: "symlink", size: 0, linkTarget });

/** The example of the buildspec reference for base-directory, and some more. */
const tree = [
  file(".env"),
  file("imagedefinitions.json"),
  folder("my-build-1"),
  file("my-build-1/my-file-1.txt"),
  folder("my-build-2"),
  file("my-build-2/my-file-2.txt"),
  folder("my-build-2/my-subdirectory"),
  file("my-build-2/my-subdirectory/my-file-3.txt"),
];

const artifact = (fields: Partial<BuildspecArtifact>): BuildspecArtifact => ({
  files: ["**/*"],
  name: undefined,
  discardPaths: false,
  baseDirectory: undefined,
  excludePaths: [],
  enableSymlinks: false,
  s3Prefix: undefined,
  ...fields,
});

function names(fields: Partial<BuildspecArtifact>, entries = tree): string[] {
  return selectArtifacts(entries, artifact(fields), "/src").files.map(({ name }) => name);
}

function rejection(fields: Partial<BuildspecArtifact>): ArtifactError {
  try {
    selectArtifacts(tree, artifact(fields), "/src");
  } catch (error) {
    assert.ok(error instanceof ArtifactError);
    assert.equal(error.code, "CLIENT_ERROR");
    return error;
  }
  assert.fail("nothing was thrown");
}

describe("selectArtifacts", () => {
  const cases: [about: string, fields: Partial<BuildspecArtifact>, expected: string[]][] = [
    ["a single file", { files: ["imagedefinitions.json"] }, ["imagedefinitions.json"]],
    ["./ before a file", { files: ["./imagedefinitions.json"] }, ["imagedefinitions.json"]],
    ["an absolute path in the source", { files: ["/src/imagedefinitions.json"] }, ["imagedefinitions.json"]],
    ["everything, hidden files too", {}, tree.filter(({ type }) => type === "file").map(({ path }) => path)],
    ["the files of one folder only", { files: ["my-build-2/*"] }, ["my-build-2/my-file-2.txt"]],
    [
      "a base directory",
      { files: ["*/my-file-3.txt"], baseDirectory: "my-build-2" },
      ["my-subdirectory/my-file-3.txt"],
    ],
    [
      "base directories by glob, flattened",
      { baseDirectory: "my-build*", discardPaths: true },
      ["my-file-1.txt", "my-file-2.txt", "my-file-3.txt"],
    ],
    ["exclude-paths", { baseDirectory: "my-build-2", excludePaths: ["my-subdirectory/**/*"] }, ["my-file-2.txt"]],
    ["a match beside a path that is missing", { files: ["missing.txt", "*.json"] }, ["imagedefinitions.json"]],
    ["extended globs are plain text", { files: ["+(a|b)", "*.json"] }, ["imagedefinitions.json"]],
  ];
  for (const [about, fields, expected] of cases) {
    it(about, () => assert.deepEqual(names(fields), expected));
  }

  it("logs as CodeBuild's agent", () => {
    assert.deepEqual(selectArtifacts(tree, artifact({ files: ["imagedefinitions.json"] }), "/src").log, [
      "Expanding base directory path: .",
      "Assembling file list",
      "Expanding .",
      "Expanding file paths for base directory .",
      "Assembling file list",
      "Expanding imagedefinitions.json",
      "Found 1 file(s)",
    ]);
  });

  it("fails where nothing matches", () => {
    const error = rejection({ files: ["missing.txt"] });
    assert.equal(error.message, "no matching artifact paths found");
    assert.equal(error.log.at(-1), "Skipping invalid file path missing.txt");
    assert.equal(rejection({ baseDirectory: "cdk.out" }).message, "no matching base directory path found for cdk.out");
  });

  it("refuses to leave the source folder", () => {
    for (const fields of [
      { files: ["../x"] },
      { files: ["a/../../x"] },
      { files: ["/etc/passwd"] },
      { baseDirectory: ".." },
    ]) {
      assert.match(rejection(fields).message, /is outside the source directory/);
    }
  });

  it("refuses patterns that are none", () => {
    assert.match(rejection({ files: ["a[b"] }).message, /not a valid pattern: \[ is not closed/);
    assert.match(rejection({ files: ["a{b,c"] }).message, /not a valid pattern: \{ is not closed/);
    assert.match(rejection({ files: ["a".repeat(2000)] }).message, /is too long/);
  });

  it("follows symbolic links inside the folder, or keeps them, and skips those that lead out", () => {
    const entries = [
      ...tree,
      link("in", "my-build-1/my-file-1.txt"),
      link("out", "/etc/passwd"),
      link("up", "../x"),
      link("loop", "loop"),
    ];
    const { files, log } = selectArtifacts(entries, artifact({ files: ["in", "out", "up", "loop"] }), "/src");
    assert.deepEqual(files, [{ name: "in", source: "my-build-1/my-file-1.txt", size: 24 }]);
    assert.equal(log.filter((line) => line.startsWith("Skipping symbolic link")).length, 3);
    const kept = selectArtifacts(entries, artifact({ files: ["*"], enableSymlinks: true }), "/src").files;
    assert.deepEqual(kept.at(-1), { name: "in", source: "in", size: 0, symlink: "my-build-1/my-file-1.txt" });
  });

  it("takes the texts that the user's shell expanded", () => {
    const section = {
      ...artifact({ files: ["$A/*"], name: "n-$A" }),
      secondaryArtifacts: { second: artifact({ baseDirectory: "$A" }) },
    };
    const expanded = expandedArtifacts(
      section,
      new Map([
        ["$A/*", "x/*"],
        ["n-$A", "n-x"],
        ["$A", "x"],
      ]),
    );
    assert.deepEqual(
      [expanded.files, expanded.name, expanded.secondaryArtifacts.second?.baseDirectory],
      [["x/*"], "n-x", "x"],
    );
  });
});

function tar(): Readable {
  const archive = pack();
  archive.entry({ name: "./", type: "directory" });
  archive.entry({ name: "./dir/", type: "directory" });
  archive.entry({ name: "./dir/run.sh", mode: 0o755 }, "echo run");
  archive.entry({ name: "./dir/hard", type: "link", linkname: "dir/run.sh" });
  archive.entry({ name: "./soft", type: "symlink", linkname: "dir/run.sh" });
  archive.entry({ name: "../escape" }, "no");
  archive.entry({ name: "./skipped" }, "s".repeat(100_000));
  archive.entry({ name: "./ünïcode.txt" }, "last");
  archive.finalize();
  return archive as unknown as Readable;
}

async function zipContent(bytes: Buffer): Promise<Record<string, string>> {
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(bytes, { lazyEntries: true }, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  const content: Record<string, string> = {};
  const done = new Promise((resolve, reject) => zip.once("end", resolve).once("error", reject));
  zip.on("entry", (entry: Entry) =>
    zip.openReadStream(entry, async (error, stream) => {
      assert.ifError(error);
      content[entry.fileName] = `${(entry.externalFileAttributes >>> 16).toString(8)} ${await text(stream)}`;
      zip.readEntry();
    }),
  );
  zip.readEntry();
  await done;
  return content;
}

describe("the artifact's archive", () => {
  const wanted = artifact({ excludePaths: ["skipped"] });

  it("lists what the tar holds and nothing outside the folder", async () => {
    assert.deepEqual(await listedEntries(tar()), [
      { path: "dir", type: "directory", size: 0 },
      { path: "dir/run.sh", type: "file", size: 8 },
      { path: "dir/hard", type: "file", size: 0, linkTarget: "dir/run.sh" },
      { path: "soft", type: "symlink", size: 0, linkTarget: "dir/run.sh" },
      { path: "skipped", type: "file", size: 100_000 },
      { path: "ünïcode.txt", type: "file", size: 4 },
    ]);
  });

  it("is a zip with the files' modes, links followed, and the same bytes every time", async () => {
    const selection = selectArtifacts(await listedEntries(tar()), wanted, "/src");
    const first = await buffer(zipArchive(tar(), selection));
    assert.deepEqual(await zipContent(first), {
      "dir/run.sh": "100755 echo run",
      "dir/hard": "100755 echo run",
      soft: "100755 echo run",
      "ünïcode.txt": "100644 last",
    });
    assert.ok(first.equals(await buffer(zipArchive(tar(), selection))));
  });

  it("keeps symbolic links in the zip where the artifact says so", async () => {
    const selection = selectArtifacts(
      await listedEntries(tar()),
      artifact({ files: ["soft"], enableSymlinks: true }),
      "/src",
    );
    assert.deepEqual(await zipContent(await buffer(zipArchive(tar(), selection))), { soft: "120777 dir/run.sh" });
  });

  it("is single files", async () => {
    const selection = selectArtifacts(await listedEntries(tar()), artifact({ files: ["dir/run.sh", "*.txt"] }), "/src");
    const files: unknown[] = [];
    for await (const { name, size, mode, content } of artifactFiles(tar(), selection)) {
      files.push([name, size, mode, await text(content)]);
    }
    assert.deepEqual(files, [
      ["dir/run.sh", 8, 0o755, "echo run"],
      ["ünïcode.txt", 4, 0o644, "last"],
    ]);
  });

  it("ends with an error above the limits, on a file that disappeared and on a broken source", async () => {
    const selection = selectArtifacts(await listedEntries(tar()), wanted, "/src");
    await assert.rejects(listedEntries(tar(), { maximumEntries: 2, maximumBytes: 1 }), /more than 2 files/);
    await assert.rejects(
      buffer(zipArchive(tar(), selection, { maximumEntries: 9, maximumBytes: 5 })),
      /the maximum is 5/,
    );
    const gone = { files: [{ name: "gone", source: "gone", size: 1 }], log: [] };
    await assert.rejects(buffer(zipArchive(tar(), gone)), /gone disappeared/);
    const broken = Readable.from(
      (async function* () {
        yield await buffer(tar()).then((bytes) => bytes.subarray(0, 1024));
        throw new Error("connection lost");
      })(),
    );
    await assert.rejects(buffer(zipArchive(broken, selection)), /connection lost/);
  });
});
