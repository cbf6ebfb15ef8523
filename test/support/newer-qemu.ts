/**
 * A QEMU newer than the system's: Debian's packages, unpacked into a folder and run with the C library that comes with them. Nothing is
 * installed. It needs apt, dpkg-deb and Debian's keys, which Debian and Ubuntu have (`debian-archive-keyring`).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SUITE = "sid";
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";
const ARCHIVE = "http://deb.debian.org/debian";

/** Emulators of three boards, and the parts of theirs that are packages of their own. */
const PACKAGES = [
  "qemu-system-x86",
  "qemu-system-arm",
  "qemu-system-s390x",
  "qemu-utils",
  "qemu-block-extra",
  "qemu-system-modules-opengl",
  "qemu-system-modules-spice",
];

/** The library folders of the packages, within where they are unpacked. */
const LIBRARIES = ["usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio", "usr/lib"];

/** Programs that tests start by their name. */
const PROGRAMS = ["qemu-system-x86_64", "qemu-storage-daemon", "qemu-pr-helper"] as const;

/** What to start, and with which environment, for a program of that QEMU. */
export interface NewerProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** See the module text. */
export class NewerQemu {
  readonly #root: string;

  /** @param folder that {@link fetch} has filled */
  constructor(folder: string) {
    this.#root = join(folder, "root");
  }

  /** Fills `folder`, unless that has been done. It takes some 130 MB from the archive, and 500 MB on the disk. */
  static fetch(folder: string): NewerQemu {
    const qemu = new NewerQemu(folder);
    if (PROGRAMS.every((name) => existsSync(join(qemu.#root, "usr/bin", name)))) return qemu;
    const apt = join(folder, "apt");
    for (const path of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(apt, path), { recursive: true });
    mkdirSync(qemu.#root, { recursive: true });
    writeFileSync(join(apt, "sources.list"), `deb [signed-by=${KEYS}] ${ARCHIVE} ${SUITE} main\n`);
    // Without installed packages everything that is needed is fetched, the C library included.
    writeFileSync(join(apt, "status"), "");
    const settings = [
      `Dir::Etc::SourceList "${join(apt, "sources.list")}";`,
      'Dir::Etc::SourceParts "/dev/null";',
      'Dir::Etc::Preferences "/dev/null";',
      'Dir::Etc::PreferencesParts "/dev/null";',
      `Dir::State::Lists "${join(apt, "lists")}";`,
      `Dir::State::status "${join(apt, "status")}";`,
      `Dir::Cache "${join(apt, "cache")}";`,
      'APT::Sandbox::User "";',
    ];
    writeFileSync(join(apt, "apt.conf"), `${settings.join("\n")}\n`);
    const env = { ...process.env, APT_CONFIG: join(apt, "apt.conf") };
    run("apt-get", ["update"], env);
    run("apt-get", ["install", "--download-only", "--yes", "--no-install-recommends", ...PACKAGES], env);
    const archives = join(apt, "cache/archives");
    for (const name of readdirSync(archives).filter((file) => file.endsWith(".deb")))
      run("dpkg-deb", ["--extract", join(archives, name), qemu.#root], env);
    return qemu;
  }

  /** How to start `name` with `args`. */
  program(name: string, args: readonly string[]): NewerProgram {
    const libraries = LIBRARIES.map((path) => join(this.#root, path)).join(":");
    const data = name.startsWith("qemu-system-") ? ["-L", join(this.#root, "usr/share/qemu")] : [];
    return {
      file: join(this.#root, "usr/lib64/ld-linux-x86-64.so.2"),
      args: ["--library-path", libraries, join(this.#root, "usr/bin", name), ...data, ...args],
      env: { QEMU_MODULE_DIR: join(this.#root, "usr/lib/x86_64-linux-gnu/qemu") },
    };
  }

  /** A folder for PATH, where its programs are found by their names: scripts that become them. */
  wrappers(): string {
    const folder = join(this.#root, "../wrappers");
    mkdirSync(folder, { recursive: true });
    for (const name of PROGRAMS) {
      const { file, args, env } = this.program(name, []);
      const settings = Object.entries(env).map(([variable, value]) => `${variable}=${quotedWord(value)} `);
      const words = [file, ...args].map(quotedWord).join(" ");
      writeFileSync(join(folder, name), `#!/bin/sh\n${settings.join("")}exec ${words} "$@"\n`, { mode: 0o755 });
    }
    return folder;
  }
}

/** A word of the shell. */
function quotedWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(file, args, { env, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (status !== 0) throw new Error(`${file} ${args[0] ?? ""}: ${stderr}`);
}
