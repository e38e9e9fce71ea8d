import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  GetDownloadUrlForLayerCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { rootPrincipal, servicePrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { assertError, HOST, RegistryFixture, SCOPE } from "./oci/testing.ts";
import { anImage, digestOf } from "./testing.ts";

suite("the registry", () => {
  const at = new RegistryFixture();

  test("asks for credentials as ECR does", async () => {
    const challenge = `Basic realm="https://${HOST}/",service="ecr.amazonaws.com"`;
    for (const authorization of ["", "Bearer x", `Basic ${Buffer.from("AWS:made-up").toString("base64")}`]) {
      const answer = await at.send("GET", "", { authorization });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers["www-authenticate"], challenge);
      assert.equal(answer.body.toString(), "Not Authorized\n");
    }
    const answer = await at.send("GET", "");
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["docker-distribution-api-version"], "registry/2.0");
  });

  test("a password is good for twelve hours, and no longer than its session", async (t) => {
    t.after(() => at.system.setNow(new Date()));
    const now = new Date("2030-01-01T00:00:00Z");
    at.system.setNow(now);
    const longer = await at.registry.basic(rootPrincipal(ACCOUNT), SCOPE);
    const sessionExpiration = new Date("2030-01-01T01:00:00Z");
    const shorter = await at.registry.basic({ ...at.rolePrincipal("brief", "ecr:*"), sessionExpiration }, SCOPE);
    const status = async (authorization: string) => (await at.send("GET", "", { authorization })).status;
    at.system.setNow(new Date("2030-01-01T00:59:59Z"));
    assert.deepEqual([await status(longer), await status(shorter)], [200, 200]);
    at.system.setNow(new Date("2030-01-01T01:00:00Z"));
    assert.deepEqual([await status(longer), await status(shorter)], [200, 403]);
    at.system.setNow(new Date("2030-01-01T12:00:00Z"));
    const expired = await at.send("GET", `${at.name}/tags/list`, { authorization: longer });
    assertError(expired, 403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.");
  });

  test("each request needs its own action, in AWS's words where it lacks it", async () => {
    const image = anImage();
    await at.pushImage(image, "v1");
    const digest = digestOf(image.blobs[0]!);
    const location = new URL(await at.beganUpload()).pathname.slice("/v2/".length);
    const requests: [method: string, path: string, action: string, operation: string][] = [
      ["POST", `${at.name}/blobs/uploads/`, "InitiateLayerUpload", "InitiateLayerUpload"],
      ["PATCH", location, "UploadLayerPart", "UploadLayerPart"],
      ["PUT", `${location}?digest=${digest}`, "CompleteLayerUpload", "CompleteLayerUpload"],
      ["GET", `${at.name}/blobs/${digest}`, "GetDownloadUrlForLayer", "GetDownloadUrlForLayer"],
      ["GET", `${at.name}/manifests/v1`, "BatchGetImage", "BatchGetImage"],
      ["DELETE", `${at.name}/manifests/v1`, "BatchDeleteImage", "BatchDeleteImage"],
      ["GET", `${at.name}/tags/list`, "ListImages", "ListImages"],
      ["GET", `${at.name}/referrers/${digest}`, "BatchGetImage", "ListImageReferrers"],
    ];
    const nobody = at.rolePrincipal("nobody");
    const authorization = await at.registry.basic(nobody, SCOPE);
    for (const [method, path, action, operation] of requests) {
      const denied = await at.send(method, path, { authorization });
      const sentence = `User: ${nobody.arn} is not authorized to perform: ecr:${action} on resource: arn:aws:ecr:${REGION}:${ACCOUNT}:repository/${at.name} because no identity-based policy allows the ecr:${action} action`;
      assertError(denied, 403, "DENIED", sentence);
      assert.equal(at.system.audited.at(-1), `ecr:${operation} AccessDenied`);
    }
    assert.equal((await at.send("HEAD", `${at.name}/blobs/${digest}`, { authorization })).status, 403);
    const put = { authorization, body: image.manifest };
    assertError(await at.send("PUT", `${at.name}/manifests/v1`, put), 403, "DENIED", /ecr:PutImage/);
  });

  test("CodeBuild pulls for itself where the repository's policy lets it, and for the project that it names", async () => {
    await at.pushImage(anImage(), "v1");
    const ofProject = (name: string) => `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${name}`;
    const codebuild = servicePrincipal("codebuild.amazonaws.com", ACCOUNT);
    const pull = async (project: string) => {
      const authorization = await at.registry.basic(codebuild, { ...SCOPE, sourceArn: ofProject(project) });
      return (await at.send("GET", `${at.name}/manifests/v1`, { authorization })).status;
    };
    assert.equal(await pull("one"), 403);
    const statement = {
      Effect: "Allow",
      Principal: { Service: "codebuild.amazonaws.com" },
      Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Condition: { StringEquals: { "aws:SourceArn": ofProject("one"), "aws:SourceAccount": ACCOUNT } },
    };
    const policyText = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await at.system.root.send(new SetRepositoryPolicyCommand({ repositoryName: at.name, policyText }));
    assert.deepEqual([await pull("one"), await pull("other")], [200, 403]);
    const other = servicePrincipal("ecs.amazonaws.com", ACCOUNT);
    await assert.rejects(at.registry.basic(other, SCOPE), /not authorized to perform: ecr:GetAuthorizationToken/);
  });

  test("what does not exist, and what cannot be done", async () => {
    const unknown = "nothing-here";
    const sentence = `The repository with name '${unknown}' does not exist in the registry with id '${ACCOUNT}'`;
    assertError(await at.send("POST", `${unknown}/blobs/uploads/`), 404, "NAME_UNKNOWN", sentence);
    assertError(await at.send("GET", `${unknown}/manifests/v1`), 404, "NAME_UNKNOWN", sentence);
    assertError(await at.send("GET", `${unknown}/tags/list`), 404, "NAME_UNKNOWN", sentence);
    assertError(await at.send("PUT", `${at.name}/tags/list`), 405, "UNSUPPORTED");
    assertError(await at.send("GET", `${at.name}/nothing`), 404, "UNSUPPORTED");
    assertError(await at.send("POST", "Not-A-Name/blobs/uploads/"), 400, "NAME_INVALID");
    assertError(await at.send("GET", `${at.name}%zz/tags/list`), 400, "NAME_INVALID");
    assertError(
      await at.send("PUT", `${at.name}/blobs/uploads/no-id?digest=sha256:${"0".repeat(64)}`),
      404,
      "BLOB_UPLOAD_UNKNOWN",
    );
  });

  test("on another host the name's first part says which registry", async () => {
    const image = anImage();
    await at.pushImage(image, "v1");
    const base = `http://${at.registry.host}/v2/${HOST}/${at.name}`;
    assert.equal((await at.send("GET", `${base}/manifests/v1`)).body.toString(), image.manifest);
    const began = await at.send("POST", `${base}/blobs/uploads/`);
    assert.ok(began.headers.location?.startsWith(`${base}/blobs/uploads/`), began.headers.location);
    const { body } = await at.send("GET", `${base}/tags/list`);
    assert.deepEqual(JSON.parse(body.toString()), { name: `${HOST}/${at.name}`, tags: ["v1"] });
    const elsewhere = base.replace(REGION, "eu-west-1");
    assertError(await at.send("GET", `${elsewhere}/manifests/v1`), 404, "NAME_UNKNOWN");
    const without = await at.send("GET", `http://${at.registry.host}/v2/${at.name}/manifests/v1`);
    assertError(without, 404, "NAME_UNKNOWN", /must begin with ACCOUNT\.dkr\.ecr\.REGION\.amazonaws\.com\//);
  });

  test("a download URL needs no credentials and is good for its layer only", async () => {
    const blob = randomBytes(100);
    const layerDigest = await at.pushBlob(blob);
    const other = await at.pushBlob(randomBytes(100));
    const { downloadUrl = "" } = await at.system.root.send(
      new GetDownloadUrlForLayerCommand({ repositoryName: at.name, layerDigest }),
    );
    assert.ok((await at.send("GET", downloadUrl, { authorization: "" })).body.equals(blob));
    const moved = await at.send("GET", downloadUrl.replace(layerDigest, other), { authorization: "" });
    assertError(moved, 403, "DENIED");
  });

  test("a repository that is created again has nothing of its predecessor", async () => {
    const digest = await at.pushBlob(randomBytes(100));
    const location = await at.beganUpload();
    await at.system.root.send(new DeleteRepositoryCommand({ repositoryName: at.name }));
    await at.system.root.send(new CreateRepositoryCommand({ repositoryName: at.name }));
    assert.equal((await at.send("HEAD", `${at.name}/blobs/${digest}`)).status, 404);
    assertError(await at.send("PATCH", location, { body: "x" }), 404, "BLOB_UPLOAD_UNKNOWN");
  });
});
