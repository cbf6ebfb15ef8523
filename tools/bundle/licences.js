/** The licences of the packages that lib/ has code of. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Folder of a package, of the path of one of its files. */
const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/** Files that a package's terms stand in. */
const TERMS = /^(?:licen[cs]e|notice|copyright)/i;

/**
 * The text of lib/LICENSES.txt.
 * @param {readonly string[]} files paths of those that went into the bundles
 * @throws Error for a package that brings no licence
 */
export function licenceTexts(files) {
  const folders = new Set(files.flatMap((file) => PACKAGE_FOLDER.exec(file) ?? []));
  const texts = [...folders].toSorted().map((folder) => {
    /** @type {{ name: string, version: string, license: string }} */
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const found = readdirSync(folder).filter((file) => TERMS.test(file));
    if (!found.some((file) => /^licen[cs]e/i.test(file))) throw new Error(`${name} has no licence text, and its code must not go without`);
    const terms = found.toSorted().map((file) => readFileSync(join(folder, file), "utf8").trim());
    return [`${name} ${version} (${license})`, ...terms].join("\n\n");
  });
  return `The files in this folder contain code of these packages:\n\n${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
