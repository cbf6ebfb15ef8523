/** Device numbers as Linux gives them to programs (glibc: gnu_dev_major(3); the kernel's new_encode_dev). */

/** A device's number. */
export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** Splits what stat(2) has as st_rdev: minor in bits 0 to 7 and 20 to 31, major in bits 8 to 19. The kernel has no more than 32 bits. */
export function splitDeviceNumber(rdev: number): DeviceNumber {
  const bits = rdev >>> 0;
  return { major: (bits >>> 8) & 0xfff, minor: (bits & 0xff) | ((bits >>> 12) & 0xf_ff00) };
}

/** As sysfs names devices: `MAJOR:MINOR`. */
export function deviceName({ major, minor }: DeviceNumber): string {
  return `${major}:${minor}`;
}
