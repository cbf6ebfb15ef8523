/** Media that a block driver provides for a unit, instead of memory or a file. */

import { QomError } from "../../base/errors.js";
import type { Medium } from "../medium/medium.js";
import type { LogicalUnit } from "../unit/logical-unit.js";
import { checkSize, define } from "../unit/unit-spec.js";
import type { UnitDefinition, UnitSpec } from "../unit/unit-spec.js";

/**
 * The definition of a unit on such a medium.
 * @param units all units of the fabric: two on one medium would write over each other
 * @throws QomError `conflict` for a spec with a file or another size, `invalid-value` for a size that no disk has, `in-use` for the medium
 *   of another unit
 */
export function mediumOfDriver(
  spec: UnitSpec,
  medium: Medium,
  units: readonly LogicalUnit[],
): { readonly definition: UnitDefinition; readonly medium: Medium } {
  const owner = units.find((unit) => unit.isOn(medium));
  if (owner !== undefined) {
    throw new QomError("in-use", `the medium of ${owner.wwn} cannot be that of ${spec.wwn} too`, {
      context: { object: spec.wwn },
      hint: "a driver gives each unit a medium of its own",
    });
  }
  const other = spec.filename !== undefined ? "filename" : (spec.sizeBytes ?? medium.sizeBytes) === medium.sizeBytes ? null : "size";
  if (other !== null) {
    throw new QomError("conflict", `${other} of ${spec.wwn} contradicts the medium of its block driver`, {
      context: { option: other, object: spec.wwn },
    });
  }
  const definition = define(spec, medium.sizeBytes, null);
  checkSize(spec, medium.sizeBytes, definition.blockSizeBytes);
  return { definition, medium };
}

/** Checks that all paths to a unit have the same medium. @throws QomError `conflict` for another medium than the unit's */
export function checkMediumAgreement(unit: LogicalUnit, medium: Medium | undefined): void {
  if (medium === undefined || unit.isOn(medium)) return;
  throw new QomError("conflict", `${unit.wwn} has another medium already`, {
    context: { object: unit.wwn },
    hint: "a driver gives all its nodes of one unit the same medium",
  });
}
