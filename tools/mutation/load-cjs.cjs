/** Stryker's runner asks for files of mocha without their extension; since mocha 12 it is one that Node does not try by itself. */
require.extensions[".cjs"] = require.extensions[".js"];
