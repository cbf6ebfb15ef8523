/** RESERVE, RELEASE, CLEAR: the tables of SPC-5 5.14, one line for each row. */

import { play } from "./support/player.js";

const TYPES = [1, 3, 5, 6, 7, 8] as const;

/** READ RESERVATION of a type held by the nexus with that key. */
function held(type: number, key: string): string {
  return `${type}/${type < 7 ? key : "0"}`;
}

describe("RESERVE", () => {
  it("needs a registration and its key", () => {
    play(`
      A1 | RSV T1       | RC
      A1 | REG 0 a      | GOOD | 1; a; -
      A1 | RSV T1 rk=z  | RC
      A1 | RSV T1 rk=0  | RC
      A1 | RSV T2 rk=z  | RC
      A1 | RSV T1 S1 rk=z | RC
    `);
  });

  it("takes LU scope and the six types", () => {
    for (let type = 0; type < 16; type += 1) {
      const player = play(`A1 | REG 0 a | GOOD | 1; a; -`);
      const valid = TYPES.some((known) => known === type);
      player.play(valid ? `A1 | RSV T${type} | GOOD | 1; a; ${held(type, "a")}` : `A1 | RSV T${type} | 24/00`);
    }
    for (let scope = 1; scope < 16; scope += 1) play(`A1 | REG 0 a | GOOD | 1; a; -`).play(`A1 | RSV T1 S${scope} | 24/00`);
  });

  it("changes nothing for a holder, who cannot change the type either", () => {
    for (const type of TYPES) {
      const player = play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        A1 | RSV T${type} | GOOD | 1; a; ${held(type, "a")}
      `);
      for (const other of TYPES) player.play(`A1 | RSV T${other} | ${other === type ? "GOOD" : "RC"}`);
    }
  });

  it("conflicts for everyone else, registered or not, with the same key or not", () => {
    for (const type of [1, 3, 5, 6]) {
      play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 a      | GOOD | 2; a a; -
        A1 | RSV T${type} | GOOD | 2; a a; ${type}/a
        B1 | RSV T${type} | RC
        C1 | RSV T${type} | RC
      `);
    }
  });

  it("is for every registrant of an All Registrants reservation", () => {
    for (const type of [7, 8]) {
      play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 b      | GOOD | 2; a b; -
        A1 | RSV T${type} | GOOD | 2; a b; ${type}/0
        B1 | RSV T${type} | GOOD
        B1 | RSV T1       | RC
        C1 | RSV T${type} | RC
      `);
    }
  });
});

describe("RELEASE", () => {
  it("needs a registration and its key, even where it would do nothing", () => {
    play(`
      A1 | REL T1      | RC
      A1 | REG 0 a     | GOOD | 1; a; -
      A1 | REL T1 rk=z | RC
      A1 | REL T1      | GOOD
      A1 | REL T2 S9   | GOOD
    `);
  });

  it("changes nothing for others than holders, whatever scope and type", () => {
    for (const type of [1, 3, 5, 6]) {
      play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 b      | GOOD | 2; a b; -
        A1 | RSV T${type} | GOOD | 2; a b; ${type}/a
        B1 | REL T${type} | GOOD
        B1 | REL T15 S15  | GOOD
        B1 | REL T1 rk=z  | RC
        C1 | REL T1       | RC
      `);
    }
  });

  it("must name the scope and type that are held", () => {
    for (const type of TYPES) {
      const player = play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        A1 | RSV T${type} | GOOD | 1; a; ${held(type, "a")}
      `);
      for (let other = 0; other < 16; other += 1) if (other !== type) player.play(`A1 | REL T${other} | 26/04`);
      player.play(`
        A1 | REL T${type} S1 | 26/04
        A1 | REL T${type}    | GOOD | 1; a; -
      `);
    }
  });

  it("tells all others registered, for types 5 to 8", () => {
    for (const type of TYPES) {
      const told = type >= 5 ? "B1:2A/04 C1:2A/04" : "";
      play(`
        D1 | TUR          | GOOD
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 b      | GOOD | 2; a b; -
        C1 | REG 0 a      | GOOD | 3; a b a; -
        A1 | RSV T${type} | GOOD | 3; a b a; ${held(type, "a")}
        A1 | REL T${type} | GOOD | 3; a b a; - | ${told}
      `);
    }
  });

  it("tells nobody with NUAR = 1, which does not keep an unregistering holder silent", () => {
    const settings = { noUnitAttentionOnRelease: true };
    for (const type of [5, 6]) {
      play(
        `
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 b      | GOOD | 2; a b; -
        A1 | RSV T${type} | GOOD | 2; a b; ${type}/a
        A1 | REL T${type} | GOOD | 2; a b; -
        A1 | RSV T${type} | GOOD | 2; a b; ${type}/a
        A1 | REG a 0      | GOOD | 3; b; - | B1:2A/04
      `,
        settings,
      );
    }
  });

  it("ends an All Registrants reservation for all", () => {
    play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 b | GOOD | 2; a b; -
      A1 | RSV T8  | GOOD | 2; a b; 8/0
      B1 | REL T7  | 26/04
      B1 | REL T8  | GOOD | 2; a b; - | A1:2A/04
    `);
  });
});

describe("CLEAR", () => {
  it("needs a registration and its key", () => {
    play(`
      A1 | CLR      | RC
      A1 | REG 0 a  | GOOD | 1; a; -
      A1 | CLR rk=z | RC
      B1 | CLR      | RC
    `);
  });

  it("removes everything of everyone and tells all but the sender", () => {
    for (const type of TYPES) {
      play(`
        A1 | REG 0 a      | GOOD | 1; a; -
        B1 | REG 0 b      | GOOD | 2; a b; -
        C1 | REG 0 c      | GOOD | 3; a b c; -
        A1 | RSV T${type} | GOOD | 3; a b c; ${held(type, "a")}
        B1 | CLR T15 S15  | GOOD | 4; -; - | A1:2A/03 C1:2A/03
        B1 | CLR          | RC
      `);
    }
  });

  it("works without a reservation and alone", () => {
    play(`
      A1 | REG 0 a | GOOD | 1; a; -
      A1 | CLR     | GOOD | 2; -; -
    `);
  });
});
