/** Which version monitors say they are of. */
import * as z from "zod";
import { lazily } from "../base/lazily.js";
import { packageVersion } from "../base/package-version.js";

/** The version of QEMU whose commands, arguments and events are followed, and that clients decide by. */
const INTERFACE = { major: 7, minor: 2, micro: 0 };

/** Result of query-version, and a member of the greeting (QAPI: VersionInfo). */
export const versionSchema = lazily(() =>
  z.strictObject({
    qemu: z.strictObject({ major: z.int(), minor: z.int(), micro: z.int() }),
    package: z.string(),
  }),
);

/** The version of the interface, and as `package` the program that answers. */
export function qmpVersion(): z.output<ReturnType<typeof versionSchema>> {
  return { qemu: INTERFACE, package: `qom-pr ${packageVersion()}` };
}
