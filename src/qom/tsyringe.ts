/**
 * The two decorators of tsyringe. It refuses to load before reflect-metadata: who imports tsyringe imports this file first.
 */
import "reflect-metadata";

export { inject, injectable } from "tsyringe";
