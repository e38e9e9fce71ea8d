/** Organizational units. */
import type { Database } from "#store/database.ts";
import type { Unit } from "../model.ts";
import { type Tables, tables, tagsFromJson, tagsToJson } from "./tables.ts";

export async function insertUnit(db: Database, unit: Unit): Promise<void> {
  await tables(db).insertInto("organizations_units").values(toRow(unit)).execute();
}

/** All of an organization, by their ids. */
export async function listUnits(db: Database, organizationId: string): Promise<Unit[]> {
  const rows = await tables(db)
    .selectFrom("organizations_units")
    .selectAll()
    .where("organization_id", "=", organizationId)
    .orderBy("unit_id")
    .execute();
  return rows.map(toUnit);
}

export async function updateUnit(db: Database, unit: Unit): Promise<void> {
  await tables(db).updateTable("organizations_units").set(toRow(unit)).where("unit_id", "=", unit.id).execute();
}

export async function deleteUnit(db: Database, unitId: string): Promise<void> {
  await tables(db).deleteFrom("organizations_units").where("unit_id", "=", unitId).execute();
}

function toRow(unit: Unit): Tables["organizations_units"] {
  return {
    unit_id: unit.id,
    organization_id: unit.organizationId,
    parent_id: unit.parentId,
    name: unit.name,
    tags: tagsToJson(unit.tags),
  };
}

function toUnit(row: Tables["organizations_units"]): Unit {
  return {
    id: row.unit_id,
    organizationId: row.organization_id,
    parentId: row.parent_id,
    name: row.name,
    tags: tagsFromJson(row.tags),
  };
}
