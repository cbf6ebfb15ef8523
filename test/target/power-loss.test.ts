/**
 * kill -9 at random points of a random stream of PERSISTENT RESERVE OUT, again and again on the same folder. Each time the unit is
 * opened anew and compared with the model of test/reservation/support/model.ts, to which the answers that the process gave were applied:
 * while APTPL is on nothing that was answered is lost. Of the one command that was in flight both is right, that it counts and that it
 * does not.
 *
 * POWER_LOSS_SEED repeats a run as far as chance is ours: when a signal arrives is not.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Model } from "../reservation/support/model.js";
import { DurableUnit, NOTHING, survivorsOf } from "./support/durable-unit.js";
import { reservationStream, WWN } from "./support/reservation-stream.js";
import { temporaryFolder } from "../support/folder.js";
import { inOneFile } from "../support/one-file.js";
import { randomNumbers } from "../support/random.js";

const SOAK = process.env["SOAK"] === "1";
const KILLS = Number(process.env["POWER_LOSS_KILLS"] ?? (SOAK ? 500 : 40));
const SEED = Number(process.env["POWER_LOSS_SEED"] ?? Math.floor(Math.random() * 2 ** 32));

/** Folders that are worked on at the same time: two cores are what a small machine has. */
const FOLDERS = 2;

/** A kill comes after up to so many answers, or, in every fourth life, so many milliseconds after the start. */
const ANSWERS_MAX = 40;
const MILLISECONDS_MAX = 250;

const CHILD = fileURLToPath(new URL("./support/reservation-child.js", import.meta.url));

/** What an initiator is told when the system has no room: 07/27/07, SPACE ALLOCATION FAILED. */
const NO_SPACE = "07/27/07";

/**
 * Runs the child until it has been killed; gives the answers that it had written.
 * @param program the child's file
 * @param limit what a shell does before it becomes the child
 */
async function answersOfOneLife(
  program: string,
  folder: string,
  seed: number,
  random: () => number,
  limit: string,
): Promise<readonly string[]> {
  const words = ["-c", `${limit}exec "$0" "$@"`, process.execPath, program, folder, String(seed)];
  const child = spawn("sh", words, { stdio: ["ignore", "pipe", "pipe"] });
  const early = random() < 0.25;
  const answersMax = early ? Number.POSITIVE_INFINITY : Math.floor(random() * ANSWERS_MAX) + 1;
  const timer = early ? setTimeout(() => child.kill("SIGKILL"), random() * MILLISECONDS_MAX) : undefined;
  let [written, complaints, answers] = ["", "", 0];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text;
    answers += text.split("\n").length - 1;
    if (answers >= answersMax) child.kill("SIGKILL");
  });
  const signal = await new Promise((resolve) => child.once("close", (_code, ending) => resolve(ending)));
  clearTimeout(timer);
  expect([signal, complaints]).to.deep.equal(["SIGKILL", ""]);
  return written.split("\n").slice(0, -1);
}

function copyOf(model: Model): Model {
  return Object.assign(new Model(), model);
}

/** The model's state after a power loss. */
function afterPowerLoss(model: Model): Model {
  return model.aptpl ? Object.assign(copyOf(model), { generation: 0 }) : new Model();
}

/** One folder and what is known of it. */
class Crashed {
  /** Lives after which there was something to lose; those whose command in flight counted; commands that found no room. */
  readonly seen = { survived: 0, inFlightCounted: 0, refused: 0 };
  #model = new Model();

  constructor(
    readonly program: string,
    readonly folder: string,
    readonly random: () => number,
    readonly limit = "",
  ) {}

  async crashOnce(): Promise<void> {
    const seed = Math.floor(this.random() * 2 ** 32);
    const answers = await answersOfOneLife(this.program, this.folder, seed, this.random, this.limit);
    const next = reservationStream(seed);
    const model = this.#model;
    for (const [index, answer] of answers.entries()) {
      const command = next((nexus) => model.keyOf(nexus));
      if (answer === NO_SPACE && this.limit !== "") {
        this.seen.refused += 1;
        continue;
      }
      expect(answer, `answer ${index} of seed ${seed}: ${JSON.stringify(command)}`).to.equal(model.apply(command).status);
    }
    const withInFlight = copyOf(model);
    withInFlight.apply(next((nexus) => model.keyOf(nexus)));
    const survivors = await this.#lookAt();
    const [without, with_] = [survivorsOf(model), survivorsOf(withInFlight)].map((each) => JSON.stringify(each));
    expect(JSON.stringify(survivors), `after ${answers.length} answers of seed ${seed}`).to.be.oneOf([without, with_]);
    if (survivors.registrations.length > 0) this.seen.survived += 1;
    const counted = JSON.stringify(survivors) !== without;
    if (counted) this.seen.inFlightCounted += 1;
    this.#model = afterPowerLoss(counted ? withInFlight : model);
  }

  async #lookAt(): Promise<ReturnType<typeof survivorsOf>> {
    const disk = await DurableUnit.open(this.folder);
    try {
      const survivors = await disk.survivors();
      expect(disk.unit.reservations.generation).to.equal(0);
      if (!survivors.aptpl) expect(survivors).to.deep.equal(NOTHING);
      expect((await readdir(this.folder)).toSorted()).to.deep.equal(["lock", "lock.held", ...(survivors.aptpl ? [`${WWN}.json`] : [])]);
      return survivors;
    } finally {
      await disk.fabric.close();
    }
  }
}

describe("reservations in a folder", () => {
  const { path } = temporaryFolder();
  let program = "";
  before(async () => {
    program = await inOneFile(CHILD, path("."));
  });

  it(`survive ${KILLS} kills at random points (seed ${SEED})`, async function () {
    this.timeout(KILLS * 5000);
    const folders = Array.from({ length: FOLDERS }, (_, index) => new Crashed(program, path(`san${index}`), randomNumbers(SEED + index)));
    await Promise.all(
      folders.map(async (crashed) => {
        for (let kill = 0; kill < KILLS / FOLDERS; kill += 1) await crashed.crashOnce();
      }),
    );
    const seen = (what: keyof Crashed["seen"]): number => folders.reduce((sum, crashed) => sum + crashed.seen[what], 0);
    expect(seen("survived"), "lives that left something").to.be.greaterThan(KILLS / 4);
    // Of a hundred kills it may be none.
    if (KILLS >= 500) expect(seen("inFlightCounted"), "commands in flight that counted").to.be.greaterThan(0);
  });

  it(`change only by commands that found room for them (seed ${SEED})`, async function () {
    this.timeout(120_000);
    // Three registrations and a reservation fit into this file size, four do not.
    const crashed = new Crashed(program, path("full"), randomNumbers(SEED), "ulimit -f 1; ");
    for (let kill = 0; kill < 10 || crashed.seen.refused === 0; kill += 1) await crashed.crashOnce();
    expect(crashed.seen.refused).to.be.greaterThan(0);
  });
});
