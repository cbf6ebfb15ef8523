/**
 * The mode pages of a logical unit: Read-Write Error Recovery, Caching, Control, and Informational Exceptions Control. All nexuses share
 * them, and there are no saved values.
 */

import { present } from "../../base/assert.js";
import {
  encodeCachingPage,
  encodeControlPage,
  encodeErrorRecoveryPage,
  encodeInformationalExceptionsPage,
  ModePage,
  PageControl,
  parseCachingPage,
  parseControlPage,
} from "../../scsi/mode.js";
import type { CachingPage, ControlPage, ErrorRecoveryPage, InformationalExceptionsPage, ModePageData } from "../../scsi/mode.js";

/** What differs between units at power on. */
export interface PowerOnModes {
  readonly noUnitAttentionOnRelease: boolean;
  readonly taskAbortedStatus: boolean;
  readonly writeCache: boolean;
}

/** All pages as values. */
interface Modes {
  readonly errorRecovery: ErrorRecoveryPage;
  readonly caching: CachingPage;
  readonly control: ControlPage;
  readonly exceptions: InformationalExceptionsPage;
}

/**
 * One task set for all nexuses (TST = 0), and commands run in any order (QUEUE ALGORITHM MODIFIER = 1). Exceptions are counted and told by
 * LOG SENSE alone (DEXCPT = 0, MRIE = 0).
 */
const BASE: Modes = {
  errorRecovery: { reallocatesOnWrite: true, reallocatesOnRead: false },
  caching: { writeCache: false, readCacheDisabled: false },
  control: {
    taskSetType: 0,
    noUnitAttentionOnRelease: false,
    descriptorSense: false,
    logSavingDisabled: true,
    queueAlgorithm: 1,
    queueError: 0,
    unitAttentionInterlock: 0,
    softwareWriteProtect: false,
    applicationTagOwner: false,
    taskAbortedStatus: false,
  },
  exceptions: { disabled: false, reportMethod: 0 },
};

/** Ones where MODE SELECT may change something. */
const CHANGEABLE: Modes = {
  errorRecovery: { reallocatesOnWrite: false, reallocatesOnRead: false },
  caching: { writeCache: true, readCacheDisabled: false },
  control: {
    ...BASE.control,
    logSavingDisabled: false,
    queueAlgorithm: 0,
    noUnitAttentionOnRelease: true,
    softwareWriteProtect: true,
    taskAbortedStatus: true,
  },
  exceptions: BASE.exceptions,
};

/** Every page by its code, lowest first. */
const PAGES: ReadonlyMap<number, (modes: Modes) => ModePageData> = new Map([
  [ModePage.ERROR_RECOVERY, ({ errorRecovery }: Modes) => encodeErrorRecoveryPage(errorRecovery)],
  [ModePage.CACHING, ({ caching }: Modes) => encodeCachingPage(caching)],
  [ModePage.CONTROL, ({ control }: Modes) => encodeControlPage(control)],
  [ModePage.INFORMATIONAL_EXCEPTIONS, ({ exceptions }: Modes) => encodeInformationalExceptionsPage(exceptions)],
]);

function encode(modes: Modes, pageCode: number): ModePageData | null {
  return PAGES.get(pageCode)?.(modes) ?? null;
}

/** The mode pages of one unit. */
export class UnitModes {
  readonly #powerOn: Modes;
  #current: Modes;

  constructor({ noUnitAttentionOnRelease, taskAbortedStatus, writeCache }: PowerOnModes) {
    this.#powerOn = {
      ...BASE,
      caching: { ...BASE.caching, writeCache },
      control: { ...BASE.control, noUnitAttentionOnRelease, taskAbortedStatus },
    };
    this.#current = this.#powerOn;
  }

  /** WCE. */
  get caching(): CachingPage {
    return this.#current.caching;
  }

  /** TAS, NUAR, SWP. */
  get control(): ControlPage {
    return this.#current.control;
  }

  /** The page of that code with its current, changeable or default values; null for a page there is not. */
  page(pageCode: number, pageControl: number): ModePageData | null {
    if (pageControl === PageControl.CURRENT) return encode(this.#current, pageCode);
    return encode(pageControl === PageControl.CHANGEABLE ? CHANGEABLE : this.#powerOn, pageCode);
  }

  /** Offset in its contents of the first byte by which `page` changes what cannot be changed; null when there is none. */
  firstUnchangeable(page: ModePageData): number | null {
    const current = present(encode(this.#current, page.pageCode), "only pages that exist are compared").contents;
    const changeable = present(encode(CHANGEABLE, page.pageCode), "every page has a mask").contents;
    const at = current.findIndex((byte, index) => ((byte ^ (page.contents[index] ?? 0)) & ~(changeable[index] ?? 0)) !== 0);
    return at < 0 ? null : at;
  }

  /** Takes over pages that {@link firstUnchangeable} has nothing against; true when that changed anything. */
  select(pages: readonly ModePageData[]): boolean {
    const before = this.#current;
    for (const page of pages) {
      this.#current = {
        ...this.#current,
        caching: parseCachingPage(page) ?? this.#current.caching,
        control: parseControlPage(page) ?? this.#current.control,
      };
    }
    return MODE_PAGE_CODES.some((code) => {
      const [was, is] = [encode(before, code), encode(this.#current, code)];
      return was !== null && is !== null && Buffer.compare(was.contents, is.contents) !== 0;
    });
  }

  /** Back to the values of power on, as after a reset of the unit. */
  reset(): void {
    this.#current = this.#powerOn;
  }
}

/** Codes of all pages, lowest first. */
export const MODE_PAGE_CODES: readonly number[] = [...PAGES.keys()];
