/** The error of opening a device. */
import { QomError } from "../../base/errors.js";
import { printable } from "../../base/limits.js";
import { errnoText } from "../../native/errno.js";

/** DEVICE cannot be opened; `errno` decides about the exit status. */
export class DeviceOpenError extends QomError {
  /** A positive error number. */
  readonly errno: number;

  constructor(device: string, errno: number, readOnly: boolean, cause: unknown) {
    const how = readOnly ? "reading" : "reading and writing";
    super("io", `cannot open '${printable(device)}' for ${how}: ${errnoText(errno)}`, { context: { value: device }, cause });
    this.errno = errno;
  }
}
