/** What the JSON document of `qom-pr persist` says of bytes that are no TransportID. */
import { expect } from "chai";
import { dataValues } from "#src/cli/persist/json-report.js";
import { printJson } from "#src/options/json.js";

describe("the JSON document of persist", () => {
  it("has the bytes of an initiator that is no TransportID", () => {
    const id = Uint8Array.of(0x46, ...new Uint8Array(22), 7);
    const entry = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, id.length, ...id);
    const values = dataValues("read-full-status", Uint8Array.of(0, 0, 0, 9, 0, 0, 0, entry.length, ...entry));
    expect(JSON.parse(printJson(values))).to.deep.equal({
      generation: 9,
      registrants: [
        {
          ...{ key: "0x00000000000000a1", initiator: null, "initiator-bytes": Buffer.from(id).toString("hex") },
          ...{ "target-port": 1, holder: false, scope: 0, type: 0 },
        },
      ],
      complete: true,
    });
  });
});
