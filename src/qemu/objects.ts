/**
 * Objects that QEMU's devices and block nodes refer to, as `-object` takes them (QEMU: qapi/qom.json). Nothing is read, locked or allocated for
 * them: a secret's file is not opened, and a memory backend has no memory.
 */
import { QomError } from "../base/errors.js";
import { lazily } from "../base/lazily.js";
import { named } from "../qom/property-kind.js";
import { qom } from "../qom/property-type.js";
import type { LaterTypes } from "../qom/type-registry.js";
import { inertObjectType, row } from "./inert.js";
import type { InertObject, InertProperties, InertProperty } from "./inert.js";
import { COUNT, NUMBER_LIST, ON_OFF_AUTO } from "./types.js";

/** QEMU's largest weight of an iothread's polling (IOThread: poll-weight). */
const POLL_WEIGHT_MAX = 63n;

const SECRET_COMMON = (): InertProperties => ({
  format: row(qom.enumeration("QCryptoSecretFormat", ["raw", "base64"]), "how the data are written", { default: "raw" }),
  keyid: row(qom.string(), "secret that the data are encrypted with"),
  iv: row(qom.string(), "initialisation vector of the encryption"),
});

const TLS_COMMON = (): InertProperties => ({
  "verify-peer": row(qom.bool(), "the peer's certificate is verified", { default: true }),
  dir: row(qom.string(), "folder of the files"),
  endpoint: row(qom.enumeration("QCryptoTLSCredsEndpoint", ["client", "server"]), "side of the connection", { default: "client" }),
  priority: row(qom.string(), "priority string of GnuTLS"),
});

const MEMORY_COMMON = (share: boolean): InertProperties => ({
  dump: row(qom.bool(), "part of a core dump", { default: true }),
  "host-nodes": row(NUMBER_LIST, "NUMA nodes of the host", { default: [] }),
  merge: row(qom.bool(), "may be merged with equal memory", { default: true }),
  policy: row(qom.enumeration("HostMemPolicy", ["default", "preferred", "bind", "interleave"]), "NUMA policy", { default: "default" }),
  prealloc: row(qom.bool(), "allocated from the start", { default: false }),
  "prealloc-threads": row(qom.uint32({ min: 1 }), "threads that allocate", { default: 1 }),
  "prealloc-context": row(qom.link({ typeName: "thread-context", noun: "thread context", lookup: "path" }), "context of these threads"),
  share: row(qom.bool(), "shared with other processes", { default: share }),
  reserve: row(qom.bool(), "swap space is reserved", { default: true }),
  size: row(qom.size({ min: 1n }), "size of the memory", { required: true }),
  "x-use-canonical-path-for-ramblock-id": row(qom.bool(), "name in QEMU's migration stream", { default: false }),
});

/** Names of the limits of a throttle group; `x-` before them in the older form. */
function throttleLimits(): Record<string, InertProperty> {
  const names = ["iops", "bps"].flatMap((unit) =>
    ["total", "read", "write"].flatMap((what) => ["", "-max", "-max-length"].map((suffix) => `${unit}-${what}${suffix}`)),
  );
  return Object.fromEntries([...names, "iops-size"].map((name) => [name, row(COUNT, "limit of a throttle group")]));
}

function throttleGroup(): InertProperties {
  const limits = throttleLimits();
  const members = Object.fromEntries(Object.entries(limits).map(([name, { type }]) => [name, type]));
  return {
    limits: row(qom.object("ThrottleLimits", {}, members), "limits of the group"),
    ...Object.fromEntries(Object.entries(limits).map(([name, limit]) => [`x-${name}`, limit])),
  };
}

const AUTHZ_POLICY = lazily(() => qom.enumeration("QAuthZListPolicy", ["deny", "allow"]));

const authzRule = () =>
  qom.object(
    "QAuthZListRule",
    { match: qom.string(), policy: AUTHZ_POLICY() },
    { format: qom.enumeration("QAuthZListFormat", ["exact", "glob"]) },
  );

function refuse(option: string, message: string): never {
  throw new QomError("invalid-value", message, { context: { option } });
}

type Values = (name: string) => unknown;

function completeSecret(value: Values): void {
  if (value("data") !== undefined && value("file") !== undefined) {
    throw new QomError("conflict", "'data' and 'file' of a secret exclude each other", { context: { option: "file" } });
  }
  if (value("data") === undefined && value("file") === undefined) refuse("data", "a secret needs 'data' or 'file'");
}

function completeMemory(value: Values): void {
  const nodes = (value("host-nodes") as readonly number[]).length; // the kind of the property
  const policy = String(value("policy"));
  if (policy === "default" && nodes > 0) refuse("host-nodes", "policy=default has no 'host-nodes'");
  if (policy !== "default" && nodes === 0) refuse("host-nodes", `policy=${policy} needs 'host-nodes'`);
}

type Description = Omit<InertObject, "name">;

/** By name of a type. */
type InertObjects = Readonly<Record<string, () => Description>>;

const memory = (share: boolean, properties: InertProperties = {}): Description => ({
  description: "memory of a guest",
  properties: { ...MEMORY_COMMON(share), ...properties },
  complete: completeMemory,
});

const SECRETS_AND_RIGHTS: InertObjects = {
  secret: () => ({
    description: "a secret",
    properties: { ...SECRET_COMMON(), data: row(qom.string(), "the secret"), file: row(qom.string(), "file of the secret") },
    complete: completeSecret,
  }),
  secret_keyring: () => ({
    description: "a secret in the kernel's keyring",
    properties: { ...SECRET_COMMON(), serial: row(qom.int32(), "serial number of the key", { required: true }) },
  }),
  "tls-creds-anon": () => ({ description: "credentials for TLS", properties: TLS_COMMON() }),
  "tls-creds-psk": () => ({
    description: "credentials for TLS",
    properties: { ...TLS_COMMON(), username: row(qom.string(), "user of the key") },
  }),
  "tls-creds-x509": () => ({
    description: "credentials for TLS",
    properties: {
      ...TLS_COMMON(),
      "sanity-check": row(qom.bool(), "the certificates are checked when they are loaded", { default: true }),
      passwordid: row(qom.string(), "secret that the key is encrypted with"),
    },
  }),
  "tls-cipher-suites": () => ({ description: "ciphers for TLS", properties: TLS_COMMON() }),
  "authz-list": () => ({
    description: "rights by name",
    properties: {
      policy: row(AUTHZ_POLICY(), "what holds where no rule does", { default: "deny" }),
      rules: row(qom.listOf(authzRule()), "the rules, the first that fits counts", { default: [] }),
    },
  }),
  "authz-simple": () => ({
    description: "rights of one name",
    properties: { identity: row(qom.string(), "the name", { required: true }) },
  }),
};

const THREADS_AND_MEMORY: InertObjects = {
  iothread: () => ({
    description: "a thread for a device's queues",
    properties: {
      "aio-max-batch": row(COUNT, "requests in a batch", { default: 0n, access: "read-write" }),
      "thread-pool-min": row(COUNT, "threads at least", { default: 0n }),
      "thread-pool-max": row(qom.int64({ min: 1n }), "threads at most", { default: 64n }),
      "poll-max-ns": row(COUNT, "longest time of polling, in ns", { default: 32_768n, access: "read-write" }),
      "poll-grow": row(COUNT, "factor by which that time grows", { default: 2n, access: "read-write" }),
      "poll-shrink": row(COUNT, "factor by which it shrinks", { default: 2n, access: "read-write" }),
      "poll-weight": row(qom.int64({ min: 0n, max: POLL_WEIGHT_MAX }), "weight of the latest time", { default: 3n, access: "read-write" }),
    },
  }),
  "thread-context": () => ({
    description: "where threads run",
    properties: {
      "cpu-affinity": row(NUMBER_LIST, "processors of the host"),
      "node-affinity": row(NUMBER_LIST, "NUMA nodes of the host"),
    },
  }),
  "memory-backend-ram": () => memory(false),
  "memory-backend-file": () =>
    memory(false, {
      align: row(qom.size(), "alignment", { default: 0n }),
      offset: row(qom.size(), "where in the file it begins", { default: 0n }),
      "discard-data": row(qom.bool(), "the file's content is given up at the end", { default: false }),
      "mem-path": row(qom.string(), "the file, or its folder", { required: true }),
      pmem: row(qom.bool(), "the file is persistent memory", { default: false }),
      readonly: row(qom.bool(), "the file is opened for reading", { default: false }),
      rom: row(ON_OFF_AUTO, "the memory is ROM", { default: "auto" }),
    }),
  "memory-backend-memfd": () =>
    memory(true, {
      hugetlb: row(qom.bool(), "huge pages", { default: false }),
      hugetlbsize: row(qom.size(), "size of the pages", { default: 0n }),
      seal: row(qom.bool(), "the file is sealed", { default: true }),
    }),
  "memory-backend-shm": () => memory(true),
  "throttle-group": () => ({ description: "limits that block nodes share", properties: throttleGroup() }),
};

const TABLE: InertObjects = { ...SECRETS_AND_RIGHTS, ...THREADS_AND_MEMORY };

/** What QEMU calls kinds of values of an object, where those of a device have another name. `-object TYPE,help` of QEMU shows them. */
const OBJECT_KINDS: Readonly<Record<string, string>> = {
  int64: "int",
  uint32: "int",
  size: "int",
  uint16List: "int",
  int32: "int32_t",
  QAuthZListRuleList: "QAuthZListRule",
};

function withKindsOfObjects(object: InertObject): InertObject {
  const properties = Object.entries(object.properties).map(([name, { type, ...rest }]) => {
    const kind = OBJECT_KINDS[type.name];
    return [name, { ...rest, type: kind === undefined ? type : named(type, kind) }] as const;
  });
  return { ...object, properties: Object.fromEntries(properties) };
}

/** What they are made of. */
export function inertObjects(): readonly InertObject[] {
  return Object.entries(TABLE).map(([name, describe]) => withKindsOfObjects({ name, ...describe() }));
}

/** The types by name; each is made when it is first asked for. */
export const inertObjectTypes: () => LaterTypes = lazily(
  () =>
    new Map(
      Object.entries(TABLE).map(([name, describe]) => [name, lazily(() => inertObjectType(withKindsOfObjects({ name, ...describe() })))]),
    ),
);
