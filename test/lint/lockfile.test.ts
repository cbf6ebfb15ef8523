/** What makes `npm ci` work on any machine, with any registry and without install scripts. */
import { expect } from "chai";
import { projectFile } from "./planted-tree.js";

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

function locked(path: string): Readonly<Record<string, LockedPackage>> {
  return (JSON.parse(projectFile(path)) as { packages: Readonly<Record<string, LockedPackage>> }).packages;
}

function expectNoRegistry(packages: Readonly<Record<string, LockedPackage>>): void {
  for (const [path, { resolved, link }] of Object.entries(packages)) expect(resolved === undefined || link === true, path).to.equal(true);
}

describe("package-lock.json", () => {
  const lock = { packages: locked("package-lock.json") };
  const packages = Object.entries(lock.packages);

  it("names no registry", () => {
    expectNoRegistry(lock.packages);
  });

  // A registry mirror may lack the binaries of other platforms; npm then leaves them out of the lock, and `npm ci` refuses it elsewhere.
  it("lists the binaries of every platform", () => {
    for (const [path, { optionalDependencies = {} }] of packages) {
      const missing = Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
      );
      expect(missing, path).to.deep.equal([]);
    }
  });

  it("holds nothing that must run a script when it is installed", () => {
    // koffi and esbuild have such a script for platforms without a ready binary; where there is one it has nothing to do.
    const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path);
    expect(scripted).to.have.members(["node_modules/esbuild", "node_modules/koffi"]);
    // What package.json does not decide, npm warns of at every installation.
    const { allowScripts } = JSON.parse(projectFile("package.json")) as Manifest;
    expect(allowScripts).to.deep.equal({ esbuild: false, koffi: false });
  });
});

describe("the lock file of mutation testing", () => {
  const packages = locked("tools/mutation/package-lock.json");

  it("names no registry, and nothing that must run a script when it is installed", () => {
    expectNoRegistry(packages);
    expect(Object.values(packages).filter(({ hasInstallScript }) => hasInstallScript === true)).to.deep.equal([]);
  });

  it("has Node for every machine that it is to run on", () => {
    for (const architecture of ["arm64", "x64"]) expect(packages).to.have.property(`node_modules/node-linux-${architecture}`);
  });
});

describe("package.json", () => {
  it("names exact versions", () => {
    const { dependencies, devDependencies } = JSON.parse(projectFile("package.json")) as Manifest;
    const mutation = JSON.parse(projectFile("tools/mutation/package.json")) as Partial<Manifest>;
    const all = [dependencies, devDependencies, mutation.devDependencies, mutation.optionalDependencies];
    for (const [name, version] of all.flatMap((listed) => Object.entries(listed ?? {}))) expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
  });
});
