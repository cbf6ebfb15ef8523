/**
 * As much of ELF (64-bit, little-endian, relocatable) as kernel modules need here: sections, symbols and relocations.
 *
 *     file header      section header (64 bytes)      symbol (24 bytes)        relocation with addend (24 bytes)
 *     40  u64 shoff     0  u32 name                    0  u32 name              0  u64 offset in the section
 *     58  u16 shentsize 4  u32 type                    4  u8  info              8  u64 symbol << 32 | type
 *     60  u16 shnum    24  u64 offset                  5  u8  other            16  i64 addend
 *     62  u16 shstrndx 32  u64 size                    6  u16 section
 *                      40  u32 link                    8  u64 value
 *                      44  u32 info                   16  u64 size
 */

/** A part of the file. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Section of the strings of a symbol table; section of the symbols of a relocation table. */
  readonly link: number;
  /** Section that a relocation table is for. */
  readonly info: number;
}

/** A function, for example. */
export interface ElfSymbol {
  readonly name: string;
  /** Index of the section it lies in; 0 when it is another file's. */
  readonly section: number;
  /** Offset in that section. */
  readonly value: number;
  readonly size: number;
}

/** A place in a section where the loader writes an address. */
export interface ElfRelocation {
  /** Where the relocation itself stands in the file. */
  readonly at: number;
  /** Offset in the section. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
}

/** Values of a section's type. */
const ElfSectionType = Object.freeze({ SYMBOLS: 2, RELOCATIONS_WITH_ADDEND: 4 });

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const SYMBOL_SIZE = 24;
/** Size of a relocation with addend. */
export const RELOCATION_SIZE = 24;

/** A file in memory; whoever changes `bytes` changes what is read later. */
export class ElfFile {
  readonly bytes: Buffer;
  readonly sections: readonly ElfSection[];

  /** @throws Error when the bytes are no such file */
  constructor(bytes: Buffer) {
    if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("this is no 64-bit little-endian ELF file");
    this.bytes = bytes;
    this.sections = this.#readSections();
  }

  /** The section of that name. */
  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** Bytes of a section, not copied. */
  contents({ offset, size }: ElfSection): Buffer {
    return this.bytes.subarray(offset, offset + size);
  }

  /** All symbols. */
  symbols(): readonly ElfSymbol[] {
    const table = this.sections.find(({ type }) => type === ElfSectionType.SYMBOLS);
    const strings = table === undefined ? undefined : this.sections[table.link];
    if (table === undefined || strings === undefined) return [];
    return Array.from({ length: table.size / SYMBOL_SIZE }, (_, index) => {
      const at = table.offset + index * SYMBOL_SIZE;
      return {
        name: this.#text(strings.offset + this.bytes.readUInt32LE(at)),
        section: this.bytes.readUInt16LE(at + 6),
        value: this.#number(at + 8),
        size: this.#number(at + 16),
      };
    });
  }

  /** The relocations of the section with that index. */
  relocations(section: number): readonly ElfRelocation[] {
    const symbols = this.symbols();
    const tables = this.sections.filter(({ type, info }) => type === ElfSectionType.RELOCATIONS_WITH_ADDEND && info === section);
    return tables.flatMap((table) =>
      Array.from({ length: table.size / RELOCATION_SIZE }, (_, index) => {
        const at = table.offset + index * RELOCATION_SIZE;
        const symbol = symbols[this.bytes.readUInt32LE(at + 12)];
        if (symbol === undefined) throw new Error(`the relocation at ${at} is for a symbol that is not there`);
        return { at, offset: this.#number(at), symbol };
      }),
    );
  }

  #readSections(): readonly ElfSection[] {
    const table = this.#number(40);
    const [entrySize, count, namesIndex] = [this.bytes.readUInt16LE(58), this.bytes.readUInt16LE(60), this.bytes.readUInt16LE(62)];
    const names = this.#number(table + namesIndex * entrySize + 24);
    return Array.from({ length: count }, (_, index) => {
      const at = table + index * entrySize;
      return {
        index,
        name: this.#text(names + this.bytes.readUInt32LE(at)),
        type: this.bytes.readUInt32LE(at + 4),
        offset: this.#number(at + 24),
        size: this.#number(at + 32),
        link: this.bytes.readUInt32LE(at + 40),
        info: this.bytes.readUInt32LE(at + 44),
      };
    });
  }

  #number(at: number): number {
    return Number(this.bytes.readBigUInt64LE(at));
  }

  #text(at: number): string {
    return this.bytes.toString("latin1", at, this.bytes.indexOf(0, at));
  }
}
