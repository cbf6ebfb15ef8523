/** What QEMU's block nodes take, and has no effect here (QEMU: qapi/block-core.json, BlockdevOptions). */
import { lazily } from "../base/lazily.js";
import { qom } from "../qom/property-type.js";
import { row } from "./inert.js";
import type { InertProperties } from "./inert.js";
import { INT } from "./types.js";

/** Of every driver. */
export const NODE_INERT: () => InertProperties = lazily(() => ({
  cache: row(qom.object("BlockdevCacheOptions", {}, { direct: qom.bool(), "no-flush": qom.bool() }), "how the host caches (no effect)"),
  discard: row(qom.enumeration("BlockdevDiscardOptions", ["ignore", "unmap"]), "what becomes of discarded blocks (no effect)"),
  "detect-zeroes": row(
    qom.enumeration("BlockdevDetectZeroesOptions", ["off", "on", "unmap"]),
    "writes of zeroes are told apart (no effect)",
  ),
  "force-share": row(qom.bool(), "others may write; for read-only nodes (no effect)"),
}));

/** Of `file` and `host_device`, and of the drivers here that stand for them. */
export const HOST_FILE_INERT: () => InertProperties = lazily(() => ({
  aio: row(qom.enumeration("BlockdevAioOptions", ["threads", "native", "io_uring"]), "how the host is asked for I/O (no effect)"),
  "aio-max-batch": row(INT, "requests in a batch (no effect)"),
  "drop-cache": row(qom.bool(), "the host's cache is dropped after migration (no effect)"),
  "x-check-cache-dropped": row(qom.bool(), "whether that is checked (no effect)"),
}));
