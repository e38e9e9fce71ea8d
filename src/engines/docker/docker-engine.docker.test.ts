/** Needs a Docker daemon at DOCKER_HOST, else at the default socket: the unit run leaves `*.docker.test.ts` out. */
import { randomUUID } from "node:crypto";
import { engineContract } from "#engines/engine.contract.ts";
import { busyboxImage } from "#tests/helpers/busybox-image.ts";
import { DockerEngine } from "./docker-engine.ts";

const instance = `contract-${randomUUID().slice(0, 8)}`;

engineContract("docker", () => new DockerEngine({ instance }), busyboxImage);
