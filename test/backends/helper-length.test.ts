/** What pr-manager-helper asks for where the initiator allows more than the protocol carries. */
import { expect } from "chai";
import { Machine } from "qom-pr";
import { temporaryFolder } from "../support/folder.js";
import { machineArguments } from "../support/machine.js";
import { outcome } from "../support/outcome.js";
import { responseBytes, ScriptedHelper } from "./helper-socket-server.js";

const CARRIED = 8192;

describe("pr-manager-helper and long answers", () => {
  const folder = temporaryFolder();
  const data = Uint8Array.from({ length: CARRIED }, (_, i) => i % 251);
  /** CDBs that the helper was sent. */
  let asked: string[] = [];
  let sent = data;
  let helper: ScriptedHelper;
  let machine: Machine;
  before(async () => {
    helper = await ScriptedHelper.serve((client, cdb) => {
      asked.push(Buffer.from(cdb.subarray(0, 10)).toString("hex"));
      client.write(responseBytes(0, sent));
    });
    const argv = machineArguments("blockdev", `pr-manager-helper,id=pr0,path=${helper.path}`, {
      filename: folder.path("disk"),
      size: "1M",
    });
    machine = await Machine.create(argv);
  });
  after(async () => {
    await machine.close();
    await helper.close();
  });

  // READ KEYS, READ RESERVATION, REPORT CAPABILITIES, READ FULL STATUS, and one that does not exist.
  for (const code of ["00", "01", "02", "03", "1f"]) {
    for (const length of [CARRIED, 8200, 0xffff]) {
      it(`asks for 8,192 bytes where service action ${code}h allows ${length}`, async () => {
        const disk = machine.scsiDevice("disk0");
        const cdb = Uint8Array.of(0x5e, Number.parseInt(code, 16), 1, 2, 3, 4, 5, length >> 8, length & 0xff, 0);
        for (sent of [data, data.subarray(0, 24)]) {
          asked = [];
          const result = await disk.execute({ cdb });
          const into = new Uint8Array(length + 8).fill(0xee);
          const filled = await disk.execute({ cdb, into });
          const lowered = `5e${code}0102030405200000`;
          expect(asked).to.deep.equal([lowered, lowered]);
          expect([outcome(result), result.residual]).to.deep.equal(["GOOD", length - sent.length]);
          expect(Buffer.compare(result.dataIn, sent)).to.equal(0);
          expect([filled.residual, into[sent.length]]).to.deep.equal([length + 8 - sent.length, 0xee]);
          expect(cdb[8], "the caller's CDB stays as it was").to.equal(length & 0xff);
        }
      });
    }
  }
});
