/** Which version monitors say they are of. */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import { packageVersion } from "../base/package-version.js";
import type { QemuAnswers } from "../qemu/compat.js";

/** Result of query-version, and a member of the greeting (QAPI: VersionInfo). */
export const versionSchema = lazily(() =>
  z.strictObject({
    qemu: z.strictObject({ major: z.int(), minor: z.int(), micro: z.int() }),
    package: z.string(),
  }),
);

/** The version of QEMU that is followed, by which clients decide, and as `package` the program that answers. */
export function qmpVersion({ interfaceVersion }: QemuAnswers): z.output<ReturnType<typeof versionSchema>> {
  return { qemu: interfaceVersion, package: `qom-pr ${packageVersion()}` };
}
