/** The sockets that a helper serves, each with the one beside it for questions about the status. */

import { printable } from "../../base/limits.js";
import type { Libc } from "../../native/libc.js";
import type { ServerLibc } from "../../native/server/libc.js";
import { Listener } from "../../native/server/listener.js";
import type { ListenerHandover } from "../../native/server/listener.js";
import { pathOfSocket } from "../../native/server/unix.js";
import type { ActivatedSocket } from "../activation.js";
import type { Log } from "../log.js";
import { nameOfSocket } from "../socket-names.js";
import { StatusService } from "./status-service.js";

/** Owner and group can connect: every client can reserve any disk that it can open. */
const SOCKET_MODE = 0o660;

/** A socket in the hands of another run of the program. */
export interface PostHandover {
  readonly name: string;
  readonly listener: ListenerHandover;
  /** Socket for questions about the status, null if there is none. */
  readonly status: ListenerHandover | null;
}

/** A socket that is served. */
export interface Post {
  /** Tells it from the others where each is an initiator; see socket-names.ts. */
  readonly name: string;
  readonly listener: Listener;
  readonly status: StatusService;
}

/** What sockets are made with. */
export interface PostTools {
  readonly libc: Libc;
  readonly server: ServerLibc;
  readonly log: Log;
  /** Called with what undoes a step, after the step. */
  readonly undo: (action: () => void) => void;
}

/** Makes the sockets with files at `paths`. @throws QomError as Listener.create; what was made before is undone by the caller */
export async function openPosts(paths: readonly string[], tools: PostTools): Promise<readonly Post[]> {
  const posts: Post[] = [];
  for (const path of paths) {
    const listener = await Listener.create(tools.libc, tools.server, path, SOCKET_MODE);
    posts.push(await postOf(nameOfSocket(path), listener, path, tools));
  }
  return posts;
}

/** Takes over sockets that systemd made. @throws QomError as Listener.adopt */
export async function adoptPosts(sockets: readonly ActivatedSocket[], tools: PostTools): Promise<readonly Post[]> {
  const posts: Post[] = [];
  for (const { fd, name } of sockets) {
    const listener = Listener.adopt(tools.libc, tools.server, fd);
    posts.push(await postOf(name, listener, pathOfSocket(tools.server, fd), tools));
  }
  return posts;
}

/** Goes on with sockets of another run of the program. */
export function resumePosts(handovers: readonly PostHandover[], { libc, server, undo }: PostTools): readonly Post[] {
  return handovers.map(({ name, listener: handover, status: statusHandover }) => {
    const listener = Listener.resume(libc, server, handover);
    undo(() => listener.stop());
    const status = StatusService.resume(libc, server, statusHandover);
    undo(() => status.stop());
    return { name, listener, status };
  });
}

/** What another run of the program needs for {@link resumePosts}. */
export function handoverOf({ name, listener, status }: Post): PostHandover {
  return { name, listener: listener.handover, status: status.handover };
}

/** The descriptors of a post. */
export function descriptorsOf({ listener, status }: Post): readonly (number | undefined)[] {
  return [listener.fd, status.handover?.fd];
}

/** Where the sockets are, in words. */
export function placesOf(posts: readonly Post[], server: ServerLibc): string {
  return posts
    .map(({ listener }) => {
      const path = pathOfSocket(server, listener.fd);
      return path === null ? "a socket without a path" : `'${printable(path)}'`;
    })
    .join(", ");
}

async function postOf(name: string, listener: Listener, path: string | null, tools: PostTools): Promise<Post> {
  const { libc, server, log, undo } = tools;
  undo(() => listener.stop());
  const status = path === null ? StatusService.none(log) : await StatusService.create(libc, server, path, log);
  undo(() => status.stop());
  return { name, listener, status };
}
