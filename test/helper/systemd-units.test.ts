/** The units for systemd: they start the program as it wants to be started, and systemd itself finds nothing wrong with them. */

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseHelperOptions } from "#src/helper/start/options.js";
import { OUR_PROGRAM, Workshop } from "./support/helper-process.js";
import { skipUnlessRequired } from "../support/requirement.js";

const FOLDER = fileURLToPath(new URL("../../../packaging/systemd/", import.meta.url));

/** What systemd-analyze may say of the service, in tenths: 0 is locked up, 100 has everything. Half of "OK". */
const EXPOSURE_MAX = 20;

/** The first that assesses a unit which is not installed. */
const OLDEST_SYSTEMD = 250;

/** Settings of a unit; of a repeated one all values. */
function settingsOf(unit: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  for (const line of readFileSync(join(FOLDER, unit), "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (value === undefined) expect(line, "a section").to.match(/^\[\w+\]$/);
    else settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}

describe("units for systemd", () => {
  const workshop = new Workshop("itself");
  const service = settingsOf("qom-pr-helper.service");
  const socket = settingsOf("qom-pr-helper.socket");

  it("are a service and its socket", () => {
    expect(readdirSync(FOLDER)).to.have.members(["qom-pr-helper.service", "qom-pr-helper.socket"]);
    expect(service.get("Requires")).to.deep.equal(["qom-pr-helper.socket"]);
  });

  it("start the program with options that it has, and leave the socket to systemd", () => {
    const [program, ...args] = (service.get("ExecStart")?.[0] ?? "").split(" ");
    expect(program).to.equal("qom-pr-helper");
    const command = parseHelperOptions(args);
    if (!("serve" in command)) throw new Error("it only prints something");
    expect(command.serve).to.deep.include({ sockets: [], background: false, user: null, group: null });
  });

  it("make one socket, for owner and group", () => {
    expect([...socket.keys()].filter((name) => name.startsWith("Listen"))).to.deep.equal(["ListenStream"]);
    expect(socket.get("ListenStream")).to.have.lengthOf(1);
    expect(socket.get("SocketMode")).to.deep.equal(["0660"]);
  });

  it("give it the one capability, and no other", () => {
    expect(service.get("CapabilityBoundingSet")).to.deep.equal(["CAP_SYS_RAWIO"]);
    expect(service.get("AmbientCapabilities")).to.deep.equal(["CAP_SYS_RAWIO"]);
    // These two would take it away, or make it worthless.
    expect(service.has("PrivateDevices")).to.be.false;
    expect(service.has("PrivateUsers")).to.be.false;
  });

  it("have nothing wrong, as systemd sees it, and little exposure", function () {
    const version = Number(/^systemd (\d+)/.exec(spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" }).stdout)?.[1] ?? 0);
    if (version < OLDEST_SYSTEMD) {
      skipUnlessRequired(this, `there is no systemd-analyze of version ${OLDEST_SYSTEMD}: apt-get install systemd`);
    }
    for (const unit of readdirSync(FOLDER)) {
      // The program is where it would be after an installation.
      const text = readFileSync(join(FOLDER, unit), "utf8").replace("ExecStart=qom-pr-helper", `ExecStart=${OUR_PROGRAM}`);
      writeFileSync(workshop.path(unit), text);
    }
    const units = readdirSync(FOLDER).map((unit) => workshop.path(unit));
    const verified = spawnSync("systemd-analyze", ["verify", ...units], { encoding: "utf8" });
    // It also looks at the units of the machine that these refer to.
    expect(verified.stderr.split("\n").filter((line) => line.includes("qom-pr-helper"))).to.deep.equal([]);
    const security = ["security", "--offline=true", `--threshold=${EXPOSURE_MAX}`, workshop.path("qom-pr-helper.service")];
    const assessed = spawnSync("systemd-analyze", security, { encoding: "utf8" });
    expect(assessed.status, `${assessed.stdout}${assessed.stderr}`).to.equal(0);
    return undefined;
  });
});
