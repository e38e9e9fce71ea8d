/** Prints a container's log lines as JSON until it is killed: `node follow-log.ts INSTANCE GROUP CONTAINER`. */
import { DockerEngine } from "#engines/docker/docker-engine.ts";

const [instance = "", group = "", container = ""] = process.argv.slice(2);
for await (const line of new DockerEngine({ instance }).logs(group, container, { skip: 0 })) {
  console.log(JSON.stringify(line));
}
