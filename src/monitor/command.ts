/** Commands of QMP: what each takes and gives, as zod schemas, and what it does. */
import * as z from "zod";
import { QomError } from "../base/errors.js";
import { lazily } from "../base/lazily.js";
import { printable } from "../base/limits.js";
import { inSlices } from "../base/slices.js";
import { describeValue, valueText } from "../options/take.js";
import { memberAt } from "../options/value.js";
import type { OptionMap, PlainValue } from "../options/value.js";
import type { MonitorHost } from "./host.js";
import { isLong, LIST_SLICE_LENGTH, listToPlain, toPlain } from "./values.js";

/** What a command can do besides giving a result. */
export interface CommandContext {
  readonly host: MonitorHost;
  /** Id of the QMP monitor that the command came through; null for one of the embedder, or of a person. */
  readonly monitor: string | null;
  /**
   * Has `action` called when the reply is on its way: for events that must not come before it. What it throws goes the way of uncaught
   * errors.
   */
  readonly afterReply: (action: () => void) => void;
}

/** A command, whatever its types. */
export interface QmpCommand {
  readonly name: string;
  /** Its arguments: a strict object, or a loose one whose further members the command judges itself. */
  readonly arguments: z.ZodObject;
  readonly result: z.ZodType;
  /**
   * Checks the arguments and runs the command.
   * @throws QomError with the error class of the answer
   */
  run(given: OptionMap, context: CommandContext): Promise<PlainValue>;
}

/** A schema, or what makes it when it is first needed: most commands are never called, and schemas take time to make. */
export type Schema<T> = T | (() => T);

/** A command as it is written down. */
export interface CommandDefinition<Arguments extends z.ZodObject, Result extends z.ZodType> {
  readonly name: string;
  readonly arguments: Schema<Arguments>;
  readonly result: Schema<Result>;
  /**
   * A result is the caller's own and stays as it is: a long list is read after others have been served.
   * @param raw the same arguments as they were given, for members that the schema does not know
   */
  readonly run: (given: z.output<Arguments>, context: CommandContext, raw: OptionMap) => z.output<Result> | Promise<z.output<Result>>;
}

/** Makes a command of its definition; `run` is held to the two schemas by its types. */
export function defineCommand<const Arguments extends z.ZodObject, const Result extends z.ZodType>(
  definition: CommandDefinition<Arguments, Result>,
): QmpCommand {
  const [args, made] = [schemaOf(definition.arguments), schemaOf(definition.result)];
  return {
    name: definition.name,
    get arguments() {
      return args();
    },
    get result() {
      return made();
    },
    run: async (given, context) => {
      const result: unknown = await definition.run(checkArguments(args(), given), context, given);
      return isLong(result) ? inSlices(listToPlain(result), LIST_SLICE_LENGTH) : toPlain(result);
    },
  };
}

function schemaOf<T extends object>(schema: Schema<T>): () => T {
  return lazily(() => (typeof schema === "function" ? schema() : schema));
}

/** Any value of JSON, which the command judges itself (QAPI: `any`). */
export const anyValueSchema = lazily(() => z.custom<PlainValue>((value) => value !== undefined));

/** Nothing: the arguments of most queries. */
export const noArgumentsSchema = lazily(() => z.strictObject({}));

/** The result of a command that only does something. */
export const nothingSchema = lazily(() => z.strictObject({}));

/**
 * The arguments as the schema types them.
 * @throws QomError `missing`, `unknown-name` or `invalid-value`, naming the argument
 */
export function checkArguments<Arguments extends z.ZodObject>(schema: Arguments, given: OptionMap): z.output<Arguments> {
  if (schema.def.catchall?._zod.def.type === "never") refuseUnknown(schema.shape, given);
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw parsed.error;
  const option = printable(issue.path.map(String).join("."));
  const value = memberAt(given, issue.path);
  if (value === undefined) throw new QomError("missing", `parameter '${option}' is missing`, { context: { option } });
  throw new QomError("invalid-value", `invalid parameter '${option}': ${expectation(issue)}, not ${describeValue(value)}`, {
    context: { option, value: valueText(value) },
  });
}

/** Of a strict object, at the first such name: a schema would look at all of a message with a hundred thousand. */
function refuseUnknown(shape: object, given: OptionMap): void {
  for (const name of given.keys()) {
    if (Object.hasOwn(shape, name)) continue;
    const option = printable(name);
    throw new QomError("unknown-name", `parameter '${option}' is unexpected`, { context: { option } });
  }
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(inWords).join("|")}`;
    case "too_big":
      return `expected ${issue.origin} to be ${issue.inclusive === false ? "<" : "<="}${issue.maximum}`;
    case "too_small":
      return `expected ${issue.origin} to be ${issue.inclusive === false ? ">" : ">="}${issue.minimum}`;
    default:
      return `expected another value (${issue.message})`;
  }
}

function inWords(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : String(value);
}
