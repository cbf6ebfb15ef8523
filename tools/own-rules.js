/**
 * Rules of this project that no stock rule covers, as a plug-in for oxlint (it takes the interface of ESLint rules).
 *
 * Each rule guards one line of CONTRIBUTING.md; test/lint plants a violation of each.
 */

/**
 * The parts of ESLint's interface that are used here.
 * @typedef {{ start: { line: number }, end: { line: number } }} Location
 * @typedef {{ type: string, loc: Location, range: [number, number], [member: string]: any }} Node
 * @typedef {{ type: string, value: string, loc: Location, range: [number, number] }} Comment
 * @typedef {{ text: string, getAllComments: () => Comment[], getText: (node: Node) => string }} SourceCode
 * @typedef {{ sourceCode: SourceCode, report: (problem: { node?: Node, loc?: Location, message: string }) => void }} RuleContext
 */

/** Comments that switch a tool off, for a line or more. */
const DIRECTIVE = /^\s*(?:(?:oxlint|eslint)-disable|prettier-ignore|@ts-(?:ignore|expect-error|nocheck)|knip-ignore)/;

/** A cast says why: in a comment on its own lines, or in one of `//` on the line before. `as const` is no cast. */
const castHasReason = {
  create(/** @type {RuleContext} */ { sourceCode, report }) {
    const check = (/** @type {Node} */ node) => {
      if (sourceCode.getText(node["typeAnnotation"]) === "const") return;
      const { start, end } = node.loc;
      const near = sourceCode.getAllComments().some(({ type, loc }) => {
        const firstLine = type === "Line" ? start.line - 1 : start.line;
        return loc.end.line >= firstLine && loc.start.line <= end.line;
      });
      if (!near) report({ node, message: "a cast without a comment that gives its reason" });
    };
    return { TSAsExpression: check, TSTypeAssertion: check };
  },
};

/** Whatever a file exports has a doc comment. One may serve a group: exports on consecutive lines, and overloads. */
const documentedExport = {
  create(/** @type {RuleContext} */ { sourceCode, report }) {
    let groupEndLine = Number.NaN;
    return {
      ExportNamedDeclaration(/** @type {Node} */ node) {
        const declaration = node["declaration"];
        if (!declaration) return;
        const grouped = node.loc.start.line === groupEndLine + 1;
        const documented = grouped || hasDocComment(sourceCode, Math.min(node.range[0], ...decoratorStarts(declaration)));
        if (documented) groupEndLine = node.loc.end.line;
        else report({ node, message: "an export without a doc comment" });
      },
    };
  },
};

/** @param {Node} declaration */
function decoratorStarts(declaration) {
  return (declaration["decorators"] ?? []).map((/** @type {Node} */ decorator) => decorator.range[0]);
}

/**
 * Whether only blanks stand between a doc comment and `start`.
 * @param {SourceCode} sourceCode
 * @param {number} start
 */
function hasDocComment(sourceCode, start) {
  return sourceCode.getAllComments().some(({ type, value, range }) => {
    return type === "Block" && value.startsWith("*") && range[1] <= start && sourceCode.text.slice(range[1], start).trim() === "";
  });
}

/** A module keeps no state: no top-level `let`, no empty collection that can only have been made to be filled. */
const noModuleState = {
  create(/** @type {RuleContext} */ { report }) {
    return {
      Program(/** @type {Node} */ program) {
        for (const statement of program["body"]) {
          const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
          if (declaration?.type !== "VariableDeclaration") continue;
          const filled = declaration.declarations.some((/** @type {Node} */ each) => isEmptyCollection(each["init"]));
          if (declaration.kind !== "const" || filled)
            report({ node: declaration, message: "state of a module, shared by all who import it" });
        }
      },
    };
  },
};

/** @param {Node | null} value */
function isEmptyCollection(value) {
  if (value?.type === "NewExpression")
    return value["arguments"].length === 0 && /^(?:Weak)?(?:Map|Set)$|^Array$/.test(value["callee"].name);
  if (value?.type === "ArrayExpression") return value["elements"].length === 0;
  return value?.type === "ObjectExpression" && value["properties"].length === 0;
}

/** A comment that switches a tool off ends in ` -- ` and the reason. */
const directiveHasReason = {
  create(/** @type {RuleContext} */ { sourceCode, report }) {
    return {
      Program() {
        for (const { value, loc } of sourceCode.getAllComments()) {
          if (DIRECTIVE.test(value) && !/ -- \S/.test(value)) report({ loc, message: "a tool switched off without ` -- ` and a reason" });
        }
      },
    };
  },
};

/** What a message repeats stands in '…', as in QEMU's messages. */
const singleQuotesInMessages = {
  create(/** @type {RuleContext} */ { report }) {
    return {
      TemplateLiteral(/** @type {Node} */ node) {
        const texts = node["quasis"].map((/** @type {Node} */ quasi) => quasi["value"].raw);
        const quoted = texts.slice(1).some((/** @type {string} */ text, /** @type {number} */ index) => {
          return text.startsWith('"') && texts[index].endsWith('"');
        });
        if (quoted) report({ node, message: "a value between double quotes" });
      },
    };
  },
};

export default {
  meta: { name: "own" },
  rules: {
    "cast-has-reason": castHasReason,
    "documented-export": documentedExport,
    "no-module-state": noModuleState,
    "directive-has-reason": directiveHasReason,
    "single-quotes-in-messages": singleQuotesInMessages,
  },
};
