import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer, get } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { aFile, aFolder, aServer, run } from "./edge-testing.ts";
import { TlsIssuer } from "./tls.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const ECR = "387543059434.dkr.ecr.ca-central-1.amazonaws.com";

/** An HTTPS server with the issuer's certificate for `name`. */
async function aServerNamed(test: TestContext, issuer: TlsIssuer, name: string): Promise<number> {
  const { certificatePem, privateKeyPem } = await issuer.leafFor(name);
  const server = createHttpsServer({ cert: certificatePem, key: privateKeyPem }, (_req, res) => res.end("hello"));
  return aServer(test, server);
}

test("the authority is made once and kept", async (t) => {
  const dir = await aFolder(t);
  const first = await TlsIssuer.open(dir);
  const second = await TlsIssuer.open(dir);
  assert.equal(second.caPem, first.caPem);
  assert.equal(await readFile(join(dir, "ca.pem"), "utf8"), first.caPem);
  assert.equal((await stat(join(dir, "ca.key"))).mode & 0o777, 0o600);

  const certificate = new X509Certificate(first.caPem);
  assert.ok(certificate.ca);
  assert.ok(certificate.verify(certificate.publicKey));
  const years = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / (365 * DAY_MS);
  assert.equal(Math.floor(years), 10);
});

test("whoever opens the folder at the same time gets the same authority, and no draft is left", async (t) => {
  const dir = await aFolder(t);
  const program = `import { TlsIssuer } from ${JSON.stringify(import.meta.resolve("./tls.ts"))};
    const all = await Promise.all(Array.from({ length: 4 }, () => TlsIssuer.open(${JSON.stringify(dir)})));
    process.stdout.write(JSON.stringify(all.map((issuer) => issuer.caPem)));`;
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => run(process.execPath, ["--input-type=module", "--eval", program])),
  );
  const pems = outcomes.flatMap(({ ok, stdout, stderr }) => {
    assert.ok(ok, stderr);
    return JSON.parse(stdout) as string[];
  });
  assert.equal(pems.length, 12);
  assert.equal(new Set(pems).size, 1);
  assert.equal((await run("ls", [dir])).stdout, "ca.key\nca.pem\n");
});

test("a certificate lost after its key was written is made again for that key", async (t) => {
  const dir = await aFolder(t);
  await TlsIssuer.open(dir);
  const key = await readFile(join(dir, "ca.key"), "utf8");
  await unlink(join(dir, "ca.pem"));
  const issuer = await TlsIssuer.open(dir);
  assert.equal(await readFile(join(dir, "ca.key"), "utf8"), key);
  const leaf = new X509Certificate((await issuer.leafFor("a.example")).certificatePem);
  assert.ok(leaf.verify(new X509Certificate(issuer.caPem).publicKey));
});

test("files that do not belong together are refused with what to do", async (t) => {
  const [dir, other] = [await aFolder(t), await aFolder(t)];
  await TlsIssuer.open(dir);
  await writeFile(join(dir, "ca.pem"), (await TlsIssuer.open(other)).caPem);
  await assert.rejects(TlsIssuer.open(dir), /do not belong together\. Remove ca\.pem and ca\.key/);
});

test("an expired authority is refused with what to do", async (t) => {
  const dir = await aFolder(t);
  await TlsIssuer.open(dir);
  const inElevenYears = Date.now() + 11 * 365 * DAY_MS;
  await assert.rejects(TlsIssuer.open(dir, { now: () => inElevenYears }), /expired on .* Remove ca\.pem and ca\.key/);
});

test("leaves name exactly one host or address and are for servers", async (t) => {
  const issuer = await TlsIssuer.open(await aFolder(t));
  for (const [name, subjectAltName] of [
    [ECR, `DNS:${ECR}`],
    ["127.0.0.1", "IP Address:127.0.0.1"],
    ["::1", "IP Address:0:0:0:0:0:0:0:1"],
    [`${"a".repeat(63)}.${"b".repeat(63)}.example`, `DNS:${"a".repeat(63)}.${"b".repeat(63)}.example`],
  ] as const) {
    const { certificatePem, expiresAt } = await issuer.leafFor(name);
    const leaf = new X509Certificate(certificatePem);
    assert.equal(leaf.subjectAltName, subjectAltName);
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.ok(!leaf.ca);
    assert.equal(leaf.validToDate.getTime(), expiresAt);
    assert.ok(expiresAt < Date.now() + 365 * DAY_MS);
  }
});

test("a leaf is kept, whatever the case of its name, until it nears its end", async (t) => {
  let now = Date.now();
  const issuer = await TlsIssuer.open(await aFolder(t), { now: () => now });
  const [first, again] = await Promise.all([issuer.leafFor("a.example"), issuer.leafFor("A.Example.")]);
  assert.equal(again, first);
  assert.equal(await issuer.contextFor("a.example"), first.context);

  now = first.expiresAt - 10 * DAY_MS;
  assert.notEqual(await issuer.leafFor("a.example"), first);
});

test("the names used least recently are forgotten", async (t) => {
  const issuer = await TlsIssuer.open(await aFolder(t));
  const [old, used] = await Promise.all([issuer.leafFor("old.example"), issuer.leafFor("used.example")]);
  for (let index = 0; index < 255; index++) {
    await issuer.leafFor(`n${index}.example`);
    await issuer.leafFor("used.example");
  }
  assert.equal(await issuer.leafFor("used.example"), used);
  assert.notEqual(await issuer.leafFor("old.example"), old);
});

test("what is no host name gets no certificate", async (t) => {
  const issuer = await TlsIssuer.open(await aFolder(t));
  for (const name of ["", "a b", "*.example", "a..b", "x".repeat(64), "é.example", "a\nb", "a.example,DNS:evil"]) {
    await assert.rejects(issuer.contextFor(name), /is not a host name/, JSON.stringify(name));
  }
});

test("the bundle holds the system's certificates and ours", async (t) => {
  const issuer = await TlsIssuer.open(await aFolder(t));
  const certificates = issuer.bundlePem().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  assert.ok(certificates.length > 20);
  const last = new X509Certificate(certificates.at(-1)!);
  assert.equal(last.fingerprint256, new X509Certificate(issuer.caPem).fingerprint256);
  assert.ok(certificates.every((pem) => new X509Certificate(pem).subject !== ""));
});

test("an authority that exists is opened without loading the certificate library", async (t) => {
  const dir = await aFolder(t);
  await TlsIssuer.open(dir);
  // reflect-metadata leaves a trace that tells: it defines Reflect.getMetadata.
  const program = `import { TlsIssuer } from ${JSON.stringify(import.meta.resolve("./tls.ts"))};
    const issuer = await TlsIssuer.open(${JSON.stringify(dir)});
    const before = "getMetadata" in Reflect;
    await issuer.leafFor("a.example");
    process.stdout.write([before, "getMetadata" in Reflect].join());`;
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", program]);
  assert.equal(stdout, "false,true", stderr);
});

test("OpenSSL verifies the chain strictly, name and purpose included", async (t) => {
  const dir = await aFolder(t);
  const issuer = await TlsIssuer.open(dir);
  const leaf = await aFile(t, Buffer.from((await issuer.leafFor(ECR)).certificatePem));
  const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", join(dir, "ca.pem")];
  const named = await run("openssl", [...verify, "-verify_hostname", ECR, leaf]);
  assert.ok(named.ok, named.stdout + named.stderr);
  assert.ok(!(await run("openssl", [...verify, "-verify_hostname", "other.amazonaws.com", leaf])).ok);
});

test("curl accepts a leaf by name and by address, and only with our authority", async (t) => {
  const dir = await aFolder(t);
  const issuer = await TlsIssuer.open(dir);
  const [named, numbered] = [await aServerNamed(t, issuer, ECR), await aServerNamed(t, issuer, "127.0.0.1")];
  const trust = ["--silent", "--show-error", "--cacert", join(dir, "ca.pem")];
  const resolve = ["--resolve", `${ECR}:${named}:127.0.0.1`];
  assert.equal((await run("curl", [...trust, ...resolve, `https://${ECR}:${named}/`])).stdout, "hello");
  assert.equal((await run("curl", [...trust, `https://127.0.0.1:${numbered}/`])).stdout, "hello");
  assert.match((await run("curl", ["-sS", `https://127.0.0.1:${numbered}/`])).stderr, /certificate/);
});

test("Node accepts a leaf", async (t) => {
  const issuer = await TlsIssuer.open(await aFolder(t));
  const port = await aServerNamed(t, issuer, ECR);
  const body = await new Promise<string>((resolve, reject) => {
    get({ port, host: "127.0.0.1", servername: ECR, ca: issuer.caPem }, (res) => text(res).then(resolve, reject)).on(
      "error",
      reject,
    );
  });
  assert.equal(body, "hello");
});

test("Python accepts a leaf under strict verification", async (t) => {
  const dir = await aFolder(t);
  const issuer = await TlsIssuer.open(dir);
  const port = await aServerNamed(t, issuer, "127.0.0.1");
  const program = `
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
sys.stdout.write(urllib.request.urlopen(sys.argv[2], context=context).read().decode())`;
  const outcome = await run("python3", ["-c", program, join(dir, "ca.pem"), `https://127.0.0.1:${port}/`]);
  assert.equal(outcome.stdout, "hello", outcome.stderr);
});

test("a folder that cannot be written is an error", async (t) => {
  const dir = await aFolder(t);
  await rm(dir, { recursive: true });
  await writeFile(dir, "");
  await assert.rejects(TlsIssuer.open(dir), /EEXIST|ENOTDIR/);
});
