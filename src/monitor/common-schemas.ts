/** Schemas that commands of one's own have in common with the built-in ones, as values: who loads this file makes them. */
import { anyValueSchema, noArgumentsSchema, nothingSchema } from "./command.js";

/** Any value of JSON, which the command judges itself (QAPI: `any`). */
export const anyValue = anyValueSchema();

/** Nothing: the arguments of most queries. */
export const noArguments = noArgumentsSchema();

/** The result of a command that only does something. */
export const nothing = nothingSchema();
