/**
 * Dependency injection for types of the object model. Nothing here or in the declarations names tsyringe: its code comes with this package,
 * and an embedder needs no copy of it.
 */
import { check } from "../base/check.js";
import type { Kind } from "../base/check.js";
import { inject as injectOfTsyringe } from "./tsyringe.js";

/** What a dependency is registered as: a symbol, a text, a class, or what tsyringe's `delay` gives. */
export type InjectionToken<T = unknown> = string | symbol | (abstract new (...dependencies: never[]) => T) | DelayedToken<T>;

/** A class that cannot be named yet: what tsyringe's `delay` gives. */
export interface DelayedToken<T> {
  /** An object that asks `resolve` for the instance when it is first used. */
  createProxy(resolve: (target: new (...dependencies: never[]) => T) => T): T;
}

/** How a dependency is asked for. */
export interface InjectOptions {
  /** True: the parameter is undefined where nothing is registered as the token. */
  readonly isOptional?: boolean;
}

const A_TOKEN: Kind = { expects: "a token", holds: (value) => ["symbol", "string", "function"].includes(typeof value) || isDelayed(value) };

/** Where tsyringe, whichever copy, keeps what `@inject` and its relatives recorded: an object by index of the parameter. */
const TOKENS_KEY = "injectionTokens";

/**
 * Says what a constructor parameter is given: `constructor(@inject(Clock) clock: Clock)`.
 * @throws QomError `invalid-value` for what is no token, as an import that is not there yet
 */
export function inject(token: InjectionToken, options?: InjectOptions): ParameterDecorator {
  check("@inject", "token", token, A_TOKEN);
  // Of a token tsyringe only keeps the value; its type leaves out abstract classes and delayed ones of another copy.
  return injectOfTsyringe(token as Parameters<typeof injectOfTsyringe>[0], options);
}

/**
 * What the constructor parameters of `target` itself are given, in their order, as `@inject` recorded it; undefined for a parameter of which
 * nothing is recorded, or in place of them all.
 */
export function injectedParameters(target: object): readonly unknown[] | undefined {
  const recorded: unknown = Reflect.getOwnMetadata(TOKENS_KEY, target);
  if (typeof recorded !== "object" || recorded === null) return undefined;
  const parameters: unknown[] = [];
  for (const [index, parameter] of Object.entries(recorded)) {
    // indexes come in ascending order
    while (parameters.length < Number(index)) parameters.push(undefined);
    parameters.push(parameter);
  }
  return parameters;
}

/** Has `target` take over what its superclass is given. */
export function inheritParameters(target: object): void {
  const inherited: unknown = Reflect.getMetadata(TOKENS_KEY, target);
  if (inherited !== undefined) Reflect.defineMetadata(TOKENS_KEY, inherited, target);
}

/** Whether a token is a {@link DelayedToken}. */
export function isDelayed(value: unknown): value is DelayedToken<unknown> {
  return typeof value === "object" && value !== null && "createProxy" in value;
}
