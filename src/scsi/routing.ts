/**
 * Which commands a PR manager takes from a device: PERSISTENT RESERVE IN and OUT, and nothing else (QEMU: block/file-posix.c,
 * hdev_co_ioctl).
 */
import { PR_IN, PR_OUT } from "./persistent-reserve.js";

/** Which way a command goes. */
export type Route = "manager" | "device";

/** The way of a command with this operation code, on a device that has a manager. */
export function routeOf(opcode: number | undefined): Route {
  return opcode === PR_IN || opcode === PR_OUT ? "manager" : "device";
}
