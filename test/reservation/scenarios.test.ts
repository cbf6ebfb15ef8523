/**
 * Walk-throughs of persistent reservations as clusters use them, played on the pure rules. See support/player.ts for the language.
 * The second half is in cluster-scenarios.test.ts.
 */

import { play } from "./support/player.js";

describe("scenarios of persistent reservations", () => {
  it("1. Life cycle, WE", () => {
    play(`
      A1 | REG 0 a | GOOD | 1; a; -
      A1 | RSV T1  | GOOD | 1; a; 1/a
      B1 | READ    | GOOD
      B1 | WRITE   | RC
      A1 | WRITE   | GOOD
      A1 | REL T1  | GOOD | 1; a; -
      B1 | WRITE   | GOOD
      A1 | REG a 0 | GOOD | 2; -; -
    `);
  });

  it("2. Register checks", () => {
    play(`
      A1 | REG z a         | RC
      A1 | REG 0 0         | GOOD
      A1 | RAI 0 rk=z      | GOOD
      A1 | RAI a rk=junk   | GOOD  | 1; a; -
      A1 | REG 0 b         | RC
      A1 | REG a a         | GOOD  | 2; a; -
      A1 | REG a b         | GOOD  | 3; b; -
      A1 | REG b c LEN=32  | 1A/00
      A1 | RAI c SPEC=B    | 26/00
      A1 | RAI 0           | GOOD  | 4; -; -
      A1 | REL T1          | RC
    `);
  });

  it("3. Reserve checks", () => {
    play(`
      A1 | RSV T1      | RC
      A1 | REG 0 a     | GOOD  | 1; a; -
      B1 | REG 0 b     | GOOD  | 2; a b; -
      A1 | RSV T1 rk=z | RC
      A1 | RSV T2      | 24/00
      A1 | RSV T1 S1   | 24/00
      A1 | RSV T3      | GOOD  | 2; a b; 3/a
      A1 | RSV T3      | GOOD
      A1 | RSV T6      | RC
      B1 | RSV T3      | RC
    `);
  });

  it("4. Release checks", () => {
    play(`
      A1 | REG 0 a     | GOOD  | 1; a; -
      B1 | REG 0 b     | GOOD  | 2; a b; -
      A1 | RSV T6      | GOOD  | 2; a b; 6/a
      B1 | REL T6      | GOOD
      B1 | REL T1      | GOOD
      B1 | REL T6 rk=z | RC
      C1 | REL T6      | RC
      A1 | REL T5      | 26/04
      A1 | REL T6      | GOOD  | 2; a b; - | B1:2A/04
      A1 | REL T6      | GOOD
      B1 | TUR         | 2A/04
      B1 | TUR         | GOOD
    `);
  });

  it("5. Who hears of a release", () => {
    play(`
      A1 | REG 0 a       | GOOD | 1; a; -
      B1 | REG 0 b       | GOOD | 2; a b; -
      C1 | REG 0 c       | GOOD | 3; a b c; -
      D1 | TUR           | GOOD
      A1 | RSV T5        | GOOD | 3; a b c; 5/a
      A1 | REL T5        | GOOD | 3; a b c; - | B1:2A/04 C1:2A/04
      B1 | INQUIRY       | GOOD
      B1 | REPORT-LUNS   | GOOD
      B1 | REQUEST-SENSE | GOOD 2A/04
      B1 | READ          | GOOD
      C1 | WRITE         | 2A/04
      C1 | WRITE         | GOOD
      D1 | TUR           | GOOD
      A1 | RSV T1        | GOOD | 3; a b c; 1/a
      A1 | REL T1        | GOOD | 3; a b c; -
      B1 | TUR           | GOOD
    `);
  });

  it("6. Unregistering the holder", () => {
    play(`
      A1 | REG 0 a | GOOD  | 1; a; -
      B1 | REG 0 b | GOOD  | 2; a b; -
      A1 | RSV T6  | GOOD  | 2; a b; 6/a
      A1 | REG a 0 | GOOD  | 3; b; - | B1:2A/04
      B1 | TUR     | 2A/04
      C1 | WRITE   | GOOD
      A1 | REG 0 a | GOOD  | 4; b a; -
      A1 | RSV T3  | GOOD  | 4; b a; 3/a
      A1 | RAI 0   | GOOD  | 5; b; -
      B1 | TUR     | GOOD
      B1 | RSV T5  | GOOD  | 5; b; 5/b
      A1 | REG 0 a | GOOD  | 6; b a; 5/b
      A1 | REG a 0 | GOOD  | 7; b; 5/b
    `);
  });

  it("7. All registrants", () => {
    play(`
      A1 | REG 0 a | GOOD  | 1; a; -
      B1 | REG 0 b | GOOD  | 2; a b; -
      A1 | RSV T7  | GOOD  | 2; a b; 7/0
      B1 | RSV T7  | GOOD
      B1 | RSV T5  | RC
      C1 | WRITE   | RC
      C1 | READ    | GOOD
      C1 | REG 0 c | GOOD  | 3; a b c; 7/0
      C1 | WRITE   | GOOD
      A1 | REG a 0 | GOOD  | 4; b c; 7/0
      A1 | WRITE   | RC
      B1 | REL T7  | GOOD  | 4; b c; - | C1:2A/04
      C1 | TUR     | 2A/04
      C1 | RSV T8  | GOOD  | 4; b c; 8/0
      B1 | REG b 0 | GOOD  | 5; c; 8/0
      C1 | REG c 0 | GOOD  | 6; -; -
      A1 | WRITE   | GOOD
    `);
  });

  it("8. Holder changes key", () => {
    play(`
      A1 | REG 0 a     | GOOD  | 1; a; -
      B1 | REG 0 b     | GOOD  | 2; a b; -
      A1 | RSV T1      | GOOD  | 2; a b; 1/a
      A1 | REG a a2    | GOOD  | 3; a2 b; 1/a2
      A1 | REL T1 rk=a | RC
      B1 | PRE a T1    | RC
      B1 | PRE a2 T1   | GOOD  | 4; b; 1/b | A1:2A/05
      A1 | TUR         | 2A/05
    `);
  });

  it("9. Preempt a non-holder", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T5   | GOOD  | 3; a b c; 5/a
      C1 | PRE b T3 | GOOD  | 4; a c; 5/a | B1:2A/05
      B1 | WRITE    | RC
      B1 | TUR      | 2A/05
      B1 | READ     | GOOD
      A1 | TUR      | GOOD
      C1 | PRE b T3 | RC
    `);
  });

  it("10. Preempt the holder, same type", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T5   | GOOD  | 3; a b c; 5/a
      B1 | PRE a T5 | GOOD  | 4; b c; 5/b | A1:2A/05
      C1 | TUR      | GOOD
      A1 | TUR      | 2A/05
      A1 | REL T5   | RC
      A1 | REG a a  | RC
      A1 | REG 0 a  | GOOD  | 5; b c a; 5/b
      A1 | WRITE    | GOOD
    `);
  });

  it("11. Preempt the holder, other type", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T5   | GOOD  | 3; a b c; 5/a
      B1 | PRE a T3 | GOOD  | 4; b c; 3/b | A1:2A/05 C1:2A/04
      C1 | READ     | RC
      C1 | TUR      | 2A/04
      C1 | READ     | RC
      A1 | TUR      | 2A/05
    `);
  });

  it("12. Holder preempts itself", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      A1 | RSV T1   | GOOD  | 2; a b; 1/a
      A1 | RSV T5   | RC
      A1 | PRE a T5 | GOOD  | 3; a b; 5/a | B1:2A/04
      B1 | WRITE    | 2A/04
      B1 | WRITE    | GOOD
      A1 | PRE a T5 | GOOD  | 4; a b; 5/a
      A1 | PRE a T4 | 24/00
    `);
  });

  it("13. Non-holder preempts its own key", () => {
    play(`
      A1 | REG 0 a | GOOD | 1; a; -
      B1 | REG 0 b | GOOD | 2; a b; -
      A1 | RSV T5  | GOOD | 2; a b; 5/a
      B1 | PRE b   | GOOD | 3; a; 5/a
      B1 | TUR     | GOOD
      B1 | WRITE   | RC
      A1 | REL T5  | GOOD | 3; a; -
      A1 | PRE a   | GOOD | 4; -; -
    `);
  });

  it("14. Preempt errors", () => {
    play(`
      A1 | REG 0 a       | GOOD  | 1; a; -
      B1 | REG 0 b       | GOOD  | 2; a b; -
      A1 | PRE 0 T5      | 26/00
      A1 | RSV T5        | GOOD  | 2; a b; 5/a
      B1 | PRE q T5      | RC
      B1 | PRE 0 T5      | 26/00
      B1 | PRE a T5 rk=z | RC
      C1 | PRE a T5      | RC
      B1 | PRE a T2      | 24/00
      B1 | PRE b T2      | GOOD  | 3; a; 5/a
    `);
  });

  it("15. Take over from AR, SARK=0", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T8   | GOOD  | 3; a b c; 8/0
      B1 | PRE 0 T1 | GOOD  | 4; b; 1/b | A1:2A/05 C1:2A/05
      A1 | TUR      | 2A/05
      C1 | TUR      | 2A/05
      C1 | READ     | GOOD
      C1 | WRITE    | RC
    `);
  });

  it("16. AR with nonzero SARK", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T8   | GOOD  | 3; a b c; 8/0
      B1 | PRE a T1 | GOOD  | 4; b c; 8/0 | A1:2A/05
      A1 | TUR      | 2A/05
      A1 | READ     | RC
      C1 | READ     | GOOD
      B1 | PRE b    | GOOD  | 5; c; 8/0
      C1 | PRE c    | GOOD  | 6; -; -
      A1 | WRITE    | GOOD
    `);
  });

  it("17. Preempt without reservation", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      B1 | PRE a T3 | GOOD  | 3; b; - | A1:2A/05
      A1 | TUR      | 2A/05
      A1 | WRITE    | GOOD
      B1 | REG b 0  | GOOD  | 4; -; -
    `);
  });

  it("18. Clear", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      B1 | REG 0 b  | GOOD  | 2; a b; -
      C1 | REG 0 c  | GOOD  | 3; a b c; -
      A1 | RSV T3   | GOOD  | 3; a b c; 3/a
      B1 | CLR rk=z | RC
      D1 | CLR      | RC
      B1 | CLR      | GOOD  | 4; -; - | A1:2A/03 C1:2A/03
      A1 | WRITE    | 2A/03
      A1 | WRITE    | GOOD
      C1 | TUR      | 2A/03
      B1 | TUR      | GOOD
      B1 | RSV T3   | RC
    `);
  });
});
