/** Packages whose code src/ imports and that no user installs for it: the bundles have it. `npm install` gets them as devDependencies. */
export const BUNDLED_PACKAGES = ["reflect-metadata", "tsyringe", "zod"];
