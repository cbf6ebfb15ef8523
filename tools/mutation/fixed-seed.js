/**
 * How property tests run while mutants are tried. The seed is fixed, so that a mutant which a property kills today it kills tomorrow. They
 * run less often, and a failure is not made small: a mutant is judged by whether one fails, thousands of times.
 */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: 20_040_101, numRuns: 20, endOnFailure: true });
