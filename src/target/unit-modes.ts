/** The mode pages of a logical unit: Caching and Control. All nexuses share them, and there are no saved values. */

import { present } from "../base/assert.js";
import { encodeCachingPage, encodeControlPage, ModePage, PageControl, parseCachingPage, parseControlPage } from "../scsi/mode.js";
import type { CachingPage, ControlPage, ModePageData } from "../scsi/mode.js";

/** What differs between units at power on. */
export interface PowerOnModes {
  readonly noUnitAttentionOnRelease: boolean;
  readonly taskAbortedStatus: boolean;
  readonly writeCache: boolean;
}

/** Both pages as values. */
interface Modes {
  readonly caching: CachingPage;
  readonly control: ControlPage;
}

/** One task set for all nexuses (TST = 0), and commands run in any order (QUEUE ALGORITHM MODIFIER = 1). */
const BASE: Modes = {
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
};

/** Ones where MODE SELECT may change something. */
const CHANGEABLE: Modes = {
  caching: { writeCache: true, readCacheDisabled: false },
  control: {
    ...BASE.control,
    logSavingDisabled: false,
    queueAlgorithm: 0,
    noUnitAttentionOnRelease: true,
    softwareWriteProtect: true,
    taskAbortedStatus: true,
  },
};

function encode(modes: Modes, pageCode: number): ModePageData | null {
  if (pageCode === ModePage.CACHING) return encodeCachingPage(modes.caching);
  return pageCode === ModePage.CONTROL ? encodeControlPage(modes.control) : null;
}

/** The mode pages of one unit. */
export class UnitModes {
  readonly #powerOn: Modes;
  #current: Modes;

  constructor({ noUnitAttentionOnRelease, taskAbortedStatus, writeCache }: PowerOnModes) {
    this.#powerOn = {
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
export const MODE_PAGE_CODES: readonly number[] = [ModePage.CACHING, ModePage.CONTROL];
