/**
 * Dependency injection for types of the object model. tsyringe refuses to load before reflect-metadata, so whoever needs `inject`
 * takes it from here and the order of imports does not matter.
 */
import "reflect-metadata";
import { inject as injectOfTsyringe } from "tsyringe";
import { check, type Kind } from "../base/check.js";

export { injectable } from "tsyringe";

/** What a dependency is registered as: a symbol, a text, a class, or what tsyringe's `delay` gives. */
const A_TOKEN: Kind = { expects: "a token", holds: (value) => ["symbol", "string", "function"].includes(typeof value) || isDelayed(value) };

/**
 * Says what a constructor parameter is given: `constructor(@inject(Clock) clock: Clock)`.
 * @throws QomError `invalid-value` for what is no token, as an import that is not there yet
 */
export function inject(...[token, ...options]: Parameters<typeof injectOfTsyringe>): ReturnType<typeof injectOfTsyringe> {
  check("@inject", "token", token, A_TOKEN);
  return injectOfTsyringe(token, ...options);
}

function isDelayed(value: unknown): boolean {
  return typeof value === "object" && value !== null && "createProxy" in value;
}
