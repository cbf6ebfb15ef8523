/** Descriptors that whoever started the program has left open for a character device: `fd=N`. */
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { isErrnoError, QomError } from "../base/errors.js";

/** Bits of a mode that say what kind of file it is; zero of what has no kind, such as an epoll instance. */
const KIND_MASK = 0o170000;

/**
 * Whether descriptor `fd` is a socket. False where there is nothing for a device: no descriptor of that number, or one of the runtime's own that
 * is no file, since the command line may be another process's.
 * @throws QomError `wrong-type` for a file, a pipe or a terminal
 */
export function isInheritedSocket(fd: number): boolean {
  const mode = modeOf(fd);
  if (mode === undefined || (mode & KIND_MASK) === 0) return false;
  if (fstatSync(fd).isSocket()) return true;
  throw new QomError("wrong-type", `descriptor ${fd} is not a socket`, { context: { option: "fd", value: String(fd) } });
}

/**
 * The connection on descriptor `fd`, a socket.
 * @throws QomError `wrong-type` for a socket that carries no stream, such as one of datagrams; `in-use` for one that another device has
 */
export function inheritedSocket(fd: number): Socket {
  try {
    return new Socket({ fd, allowHalfOpen: true });
  } catch (error) {
    if (!isErrnoError(error)) throw error;
    if (error.code === "EEXIST") throw descriptorInUse(fd);
    if (error.code !== "ERR_INVALID_FD_TYPE") throw error;
    throw new QomError("wrong-type", `descriptor ${fd} is not a stream socket`, { context: { option: "fd", value: String(fd) } });
  }
}

/** What is said about a descriptor that two devices were given. */
export function descriptorInUse(fd: number): QomError {
  return new QomError("in-use", `descriptor ${fd} is in use already`, { context: { option: "fd", value: String(fd) } });
}

function modeOf(fd: number): number | undefined {
  try {
    return fstatSync(fd).mode;
  } catch (error) {
    if (isErrnoError(error) && error.code === "EBADF") return undefined;
    throw error;
  }
}
