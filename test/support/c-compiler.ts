/** C for tests: stand-ins that are loaded before libc, and clients that are to be compared with. */
import { spawnSync } from "node:child_process";
import { skipUnlessRequired } from "./requirement.js";

/** Skips what `context` belongs to where there is no C compiler; fails it with REQUIRE_SYSTEM=1. */
export function requireCompiler(context: Mocha.Context): void {
  if (spawnSync("cc", ["--version"]).status === 0) return;
  skipUnlessRequired(context, "there is no C compiler: apt-get install gcc libc6-dev");
}

/** Compiles the C file `source` to `target`. @throws Error with what the compiler said, or that there is none */
export function compileC(source: string, target: string, flags: readonly string[] = []): void {
  const compiler = spawnSync("cc", ["-O2", "-o", target, ...flags, source], { encoding: "utf8" });
  if (compiler.status !== 0) throw compiler.error ?? new Error(compiler.stderr);
}

/** {@link compileC} for a library that a program is started with as LD_PRELOAD. */
export function compileShim(source: string, target: string): void {
  compileC(source, target, ["-shared", "-fPIC"]);
}
