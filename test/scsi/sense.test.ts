import { expect } from "chai";
import fc from "fast-check";
import { ScsiStatus } from "#src/scsi/command.js";
import { descriptorSense, fixedSense, formatSense, parseSense, parseSenseData, sameSense, Sense, senseResult } from "#src/scsi/sense.js";
import type { FieldPointer, SenseOptions } from "#src/scsi/sense.js";
import { anyBytes } from "./arbitraries.js";
import { bytes, digits, hex } from "../support/hex.js";

const SPEC_I_PT: FieldPointer = { in: "parameter-list", byte: 20, bit: 3 };

/** name, fixed, descriptor */
const GOLDEN: readonly (readonly [name: string, fixed: Uint8Array, descriptor: Uint8Array, fixedHex: string, descriptorHex: string])[] = [
  [
    "INVALID RELEASE",
    fixedSense(Sense.INVALID_RELEASE_OF_PERSISTENT_RESERVATION),
    descriptorSense(Sense.INVALID_RELEASE_OF_PERSISTENT_RESERVATION),
    "70 00 05 00000000 0A 00000000 26 04 00 000000",
    "72 05 26 04 00 00 00 00",
  ],
  [
    "INVALID FIELD IN PARAMETER LIST at SPEC_I_PT",
    fixedSense(Sense.INVALID_FIELD_IN_PARAMETER_LIST, { fieldPointer: SPEC_I_PT }),
    descriptorSense(Sense.INVALID_FIELD_IN_PARAMETER_LIST, { fieldPointer: SPEC_I_PT }),
    "70 00 05 00000000 0A 00000000 26 00 00 8B0014",
    "72 05 26 00 000000 08 0206 0000 8B0014 00",
  ],
  [
    "REGISTRATIONS PREEMPTED",
    fixedSense(Sense.REGISTRATIONS_PREEMPTED),
    descriptorSense(Sense.REGISTRATIONS_PREEMPTED),
    "70 00 06 00000000 0A 00000000 2A 05 00 000000",
    "72 06 2A 05 00 00 00 00",
  ],
  [
    "MISCOMPARE with an LBA, deferred",
    fixedSense(Sense.MISCOMPARE_DURING_VERIFY, { information: 0x12345678, deferred: true }),
    descriptorSense(Sense.MISCOMPARE_DURING_VERIFY, { information: 0x12345678, deferred: true }),
    "F1 00 0E 12345678 0A 00000000 1D 00 00 000000",
    "73 0E 1D 00 000000 0C 00 0A 80 00 0000000012345678",
  ],
];

/** Every code of the library, as the standard numbers it. */
const CODES: readonly string[] = [
  "NO_SENSE 00/00/00",
  "LUN_NOT_READY 02/04/00",
  "INITIALIZING_COMMAND_REQUIRED 02/04/02",
  "MEDIUM_NOT_PRESENT 02/3A/00",
  "UNRECOVERED_READ_ERROR 03/11/00",
  "WRITE_ERROR 03/0C/00",
  "INTERNAL_TARGET_FAILURE 04/44/00",
  "PARAMETER_LIST_LENGTH_ERROR 05/1A/00",
  "INVALID_COMMAND_OPERATION_CODE 05/20/00",
  "LBA_OUT_OF_RANGE 05/21/00",
  "INVALID_FIELD_IN_CDB 05/24/00",
  "LUN_NOT_SUPPORTED 05/25/00",
  "INVALID_FIELD_IN_PARAMETER_LIST 05/26/00",
  "INVALID_RELEASE_OF_PERSISTENT_RESERVATION 05/26/04",
  "SAVING_PARAMETERS_NOT_SUPPORTED 05/39/00",
  "INSUFFICIENT_REGISTRATION_RESOURCES 05/55/04",
  "POWER_ON_OR_RESET 06/29/00",
  "POWER_ON 06/29/01",
  "SCSI_BUS_RESET 06/29/02",
  "BUS_DEVICE_RESET 06/29/03",
  "I_T_NEXUS_LOSS 06/29/07",
  "MODE_PARAMETERS_CHANGED 06/2A/01",
  "RESERVATIONS_PREEMPTED 06/2A/03",
  "RESERVATIONS_RELEASED 06/2A/04",
  "REGISTRATIONS_PREEMPTED 06/2A/05",
  "CAPACITY_DATA_CHANGED 06/2A/09",
  "PREVIOUS_RESERVATION_CONFLICT 06/2C/09",
  "COMMANDS_CLEARED_BY_ANOTHER_INITIATOR 06/2F/00",
  "REPORTED_LUNS_DATA_CHANGED 06/3F/0E",
  "WRITE_PROTECTED 07/27/00",
  "SPACE_ALLOCATION_FAILED 07/27/07",
  "RESERVATION_INFORMATION_LOST 07/44/01",
  "IO_ERROR 0B/00/06",
  "LUN_NOT_RESPONDING 0B/05/00",
  "LUN_COMMUNICATION_FAILURE 0B/08/00",
  "TRANSPORT_NEXUS_LOSS 0B/29/07",
  "COMMAND_TIMEOUT 0B/2E/02",
  "COMMAND_ABORTED 0B/2F/02",
  "MISCOMPARE_DURING_VERIFY 0E/1D/00",
];

const senseCode = fc.record({ key: fc.nat(15), asc: fc.nat(255), ascq: fc.nat(255) });
const anyField: fc.Arbitrary<FieldPointer> = fc.record(
  { in: fc.constantFrom("cdb" as const, "parameter-list" as const), byte: fc.nat(0xffff), bit: fc.nat(7) },
  { requiredKeys: ["in", "byte"] },
);
const senseOptions: fc.Arbitrary<SenseOptions> = fc.record(
  { fieldPointer: anyField, information: fc.nat(0xffffffff), deferred: fc.constant(true) },
  { requiredKeys: [] },
);

describe("sense data", () => {
  for (const [name, fixed, descriptor, fixedHex, descriptorHex] of GOLDEN) {
    it(`encodes ${name} in both formats`, () => {
      expect(hex(fixed)).to.equal(digits(fixedHex));
      expect(hex(descriptor)).to.equal(digits(descriptorHex));
      expect(parseSenseData(fixed)).to.deep.equal(parseSenseData(descriptor));
    });
  }

  it("gives back what was encoded, in both formats", () => {
    fc.assert(
      fc.property(senseCode, senseOptions, (code, options) => {
        for (const data of [fixedSense(code, options), descriptorSense(code, options)]) {
          expect(parseSense(data)).to.deep.equal(code);
          expect(parseSenseData(data)).to.deep.equal({ code, ...options });
        }
      }),
    );
  });

  it("leaves out an INFORMATION that needs more than 32 bits in fixed format only", () => {
    const information = 2 ** 40;
    expect(parseSenseData(fixedSense(Sense.LBA_OUT_OF_RANGE, { information }))).to.deep.equal({ code: Sense.LBA_OUT_OF_RANGE });
    expect(parseSenseData(descriptorSense(Sense.LBA_OUT_OF_RANGE, { information }))?.information).to.equal(information);
  });

  it("has no code in bytes that are too short or of another response code", () => {
    for (const data of ["", "70", "70 00 05 00 00 00 00", "72 05 26", "7F 05 26 00 00 00 00 00", "00 00 00 00 00 00 00 00"]) {
      expect(parseSense(bytes(data)), data).to.equal(null);
      expect(parseSenseData(bytes(data)), data).to.equal(null);
    }
  });

  it("has the key of fixed format that a host cut to 8 bytes", () => {
    expect(parseSense(fixedSense(Sense.WRITE_PROTECTED).subarray(0, 8))).to.deep.equal({ key: 7, asc: 0, ascq: 0 });
  });

  it("reads any bytes, cut at any byte", () => {
    fc.assert(
      fc.property(fc.constantFrom(0x70, 0x71, 0x72, 0x73, 0xf0), anyBytes, (first, rest) => {
        const data = Uint8Array.of(first, ...rest);
        for (let end = 0; end <= Math.min(data.length, 40); end += 1) parseSenseData(data.subarray(0, end));
      }),
    );
  });

  it("is CHECK CONDITION with fixed format as a result", () => {
    const result = senseResult(Sense.LUN_NOT_SUPPORTED);
    expect(result.status).to.equal(ScsiStatus.CHECK_CONDITION);
    expect(result.dataIn.length + result.residual).to.equal(0);
    expect(parseSense(result.sense)).to.deep.equal(Sense.LUN_NOT_SUPPORTED);
  });

  it("is printed with its names and digits", () => {
    expect(formatSense(Sense.INVALID_FIELD_IN_CDB)).to.equal("ILLEGAL REQUEST, INVALID FIELD IN CDB (05/24/00)");
    expect(formatSense(Sense.IO_ERROR)).to.equal("ABORTED COMMAND, I/O PROCESS TERMINATED (0B/00/06)");
    expect(formatSense({ key: 3, asc: 0x80, ascq: 0xfe })).to.equal("MEDIUM ERROR (03/80/FE)");
  });

  it("has the codes of the standard, each with a printed name", () => {
    const printed = Object.entries(Sense).map(([name, code]) => `${name} ${formatSense(code)}`);
    for (const line of printed) expect(line).to.match(/^[A-Z_]+ [A-Z ]+, .+ \(/);
    expect(printed.map((line) => line.replace(/ .*\((.*)\)$/, " $1"))).to.deep.equal(CODES);
  });

  it("skips descriptors it does not know, and those that are cut", () => {
    const known = "02 06 0000 CB0002 00";
    const fieldPointer: FieldPointer = { in: "cdb", byte: 2, bit: 3 };
    const code = { key: 5, asc: 0x24, ascq: 0 };
    expect(parseSenseData(bytes(`72 05 24 00 000000 14 09 0A ${"FF".repeat(10)} ${known}`))).to.deep.equal({ code, fieldPointer });
    expect(parseSenseData(bytes(`72 05 24 00 000000 08 ${known} 000A8000 0000000000000005`))).to.deep.equal({ code, fieldPointer });
    expect(parseSenseData(bytes("72 05 24 00 000000 08 02 06 0000 CB00"))).to.deep.equal({ code });
    expect(parseSenseData(bytes("72 05 24 00 000000 0C 00 0A 80 00 00000000000000"))).to.deep.equal({ code });
    expect(parseSenseData(bytes("72 05 24 00 000000 08 02 06 0000 000002 00"))).to.deep.equal({ code });
  });

  it("compares codes by their three numbers", () => {
    expect(sameSense(Sense.POWER_ON, { key: 6, asc: 0x29, ascq: 1 })).to.equal(true);
    expect(sameSense(Sense.POWER_ON, Sense.POWER_ON_OR_RESET)).to.equal(false);
    expect(sameSense(Sense.POWER_ON, { ...Sense.POWER_ON, key: 5 })).to.equal(false);
    expect(sameSense(Sense.POWER_ON, { ...Sense.POWER_ON, asc: 0x28 })).to.equal(false);
  });
});
