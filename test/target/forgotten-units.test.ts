/** Units that a fabric makes room with: nothing is left of them, neither in memory nor in the folder of reservations. */
import { readdirSync } from "node:fs";
import { mkdir, rename, rmdir } from "node:fs/promises";
import { expect } from "chai";
import { NO_HOLDINGS, sumOf } from "#src/reservation/holdings.js";
import type { Account, Holdings, Ledger } from "#src/scsi/account.js";
import { PersistentReserveOut } from "#src/scsi/persistent-reserve-out.js";
import { DirectoryStore } from "#src/stores/folder/store.js";
import { Fabric } from "#src/target/fabric/fabric.js";
import { temporaryFolder } from "../support/folder.js";
import { nexus } from "./support.js";
import { outcome } from "../support/outcome.js";

const UNITS_MAX = 3;

/** Lets everybody have so many units. */
class UnitsLedger implements Ledger {
  #holdings: Holdings = NO_HOLDINGS;

  hasRoom(_owner: string, more: Holdings): boolean {
    return this.#holdings.units + more.units <= UNITS_MAX;
  }

  change(_owner: string, by: Holdings): void {
    this.#holdings = sumOf(this.#holdings, by);
  }

  ownerOf(): null {
    return null;
  }
}

function identity(number: number): string {
  return `file 8:1:${number} born 1796000000.000000001`;
}

describe("units that are forgotten to make room", () => {
  const { path } = temporaryFolder();
  const A = nexus("A1");
  let account: Account;
  let folder: string;
  let folders = 0;
  let store: DirectoryStore;
  let fabric: Fabric;
  let lines: string[];
  beforeEach(async () => {
    account = { owner: "uid-1000", ledger: new UnitsLedger() };
    folder = path(`forgotten${folders}`);
    folders += 1;
    lines = [];
    store = await DirectoryStore.open(folder, { warn: (line) => lines.push(line) });
    fabric = new Fabric({ store });
    let closed: Promise<void> | null = null;
    close = () => (closed ??= fabric.close().then(() => store.close()));
  });
  let close: () => Promise<void>;
  afterEach(() => close());

  const files = (): readonly string[] => readdirSync(folder).filter((name) => name.endsWith(".json"));

  /** APTPL stays on when the last registration goes, so that the unit's file stays too. */
  async function use(number: number, last: "unregister" | "stay" = "unregister"): Promise<void> {
    const unit = fabric.shadowFor(identity(number), account);
    if (unit === null) throw new Error(`there is room for unit ${number}`);
    const send = async (key: bigint, serviceActionKey: bigint): Promise<string> => {
      const command = PersistentReserveOut.encode({ action: "register", key, serviceActionKey, aptpl: true });
      return outcome(await unit.execute(A, command, { account }));
    };
    expect(await send(0n, 1n)).to.equal("GOOD");
    if (last === "unregister") expect(await send(1n, 0n)).to.equal("GOOD");
  }

  it("leave no files behind, however many there were", async () => {
    for (let number = 0; number < 10 * UNITS_MAX; number += 1) await use(number);
    await close();
    expect(files()).to.have.length(UNITS_MAX);
  });

  it("begin anew at once, before their file has gone too", async () => {
    for (let number = 0; number < UNITS_MAX; number += 1) await use(number);
    // makes room by the first, which then makes room by the second
    const other = fabric.shadowFor(identity(UNITS_MAX), account);
    expect(other).not.to.equal(null);
    await use(0, "stay");
    await close();
    const again = await Fabric.open({ stateDir: folder });
    expect(again.shadow(identity(0)).reservations.registrants.map(({ key }) => key)).to.deep.equal([1n]);
    expect(again.shadow(identity(1)).reservations.registrants).to.deep.equal([]);
    await again.close();
  });

  it("leave their files until the folder can be written again: that is said", async () => {
    for (let number = 0; number < UNITS_MAX; number += 1) await use(number);
    const [first = ""] = files();
    const [moved, stead] = [`${folder}.moved`, folder];
    await rename(folder, moved);
    await mkdir(stead);
    for (let number = 0; number < UNITS_MAX; number += 1) fabric.shadowFor(identity(UNITS_MAX + number), account);
    // one at a time, and this one comes after them
    await fabric.shadow(identity(0)).execute(A, PersistentReserveOut.encode({ action: "register", serviceActionKey: 1n, aptpl: true }));
    expect(lines.join("\n")).to.include("may differ from those in use");
    await rmdir(stead);
    await rename(moved, stead);
    expect(files()).to.include(first);
    await close();
    expect(files()).to.deep.equal([]);
  });
});
