/**
 * Dependency injection for types of the object model. tsyringe refuses to load before reflect-metadata, so whoever needs `inject`
 * takes it from here and the order of imports does not matter.
 */
import "reflect-metadata";
export { inject, injectable } from "tsyringe";
