/** The only place that wires things together: options in, a running Slipway out. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "#engines/engine.ts";
import { FileAudit } from "#gateway/audit.ts";
import { Cipher } from "#gateway/cipher.ts";
import { InProcessClient } from "#gateway/client.ts";
import type { Config, System } from "#gateway/context.ts";
import { Egress } from "#gateway/egress.ts";
import { requestHandler } from "#gateway/handle.ts";
import { Listener } from "#gateway/listener.ts";
import { Registry } from "#gateway/registry.ts";
import type { Service } from "#gateway/service.ts";
import { TlsIssuer } from "#gateway/tls.ts";
import { FolderBlobStore } from "#store/blobs/folder-blob-store.ts";
import { Bus } from "#store/bus.ts";
import { openStore } from "#store/database.ts";
import { migrate } from "#store/migrate.ts";
import { Work, workMigrations } from "#store/work.ts";
import { iam, IamIdentities } from "#services/iam/index.ts";
import { sts } from "#services/sts/index.ts";

export const services: readonly Service[] = [iam, sts];
