/** The one check of how long an option text may be. */
import { QomError } from "../base/errors.js";
import { OPTION_TEXT_LENGTH_MAX } from "../base/limits.js";

/**
 * Refuses a text longer than {@link OPTION_TEXT_LENGTH_MAX}.
 * @throws QomError `limit`
 */
export function requireTextLength(text: string): void {
  if (text.length <= OPTION_TEXT_LENGTH_MAX) return;
  throw new QomError("limit", `option text of ${text.length} characters is longer than ${OPTION_TEXT_LENGTH_MAX}`, {
    context: { position: OPTION_TEXT_LENGTH_MAX },
  });
}
