/** The walk-throughs of scenarios.test.ts, continued: aborts, resets, several ports, and what cluster software does. */

import { expect } from "chai";

import { play } from "./support/player.js";

describe("scenarios of persistent reservations, continued", () => {
  it("19. Preempt and abort", () => {
    play(`
      A1 | REG 0 a   | GOOD  | 1; a; -
      B1 | REG 0 b   | GOOD  | 2; a b; -
      C1 | REG 0 c   | GOOD  | 3; a b c; -
      A1 | RSV T5    | GOOD  | 3; a b c; 5/a
      A1 | BEGIN     | GOOD
      A1 | BEGIN     | GOOD
      C1 | BEGIN     | GOOD
      B1 | BEGIN     | GOOD
      B1 | P&A a T5  | GOOD  | 4; b c; 5/b | A1:2A/05 A1:2F/00
      A1 | END       | ABORTED
      A1 | END       | ABORTED
      C1 | END       | GOOD
      A1 | TUR       | 2A/05
      A1 | TUR       | 2F/00
      A1 | TUR       | GOOD
      A1 | TAS       | GOOD
      C1 | BEGIN     | GOOD
      B1 | P&A c T5  | GOOD  | 5; b; 5/b | C1:2A/05
      C1 | END       | ABORTED
      C1 | TUR       | 2A/05
      B1 | END       | GOOD
    `);
  });

  it("20. APTPL", () => {
    const player = play(`A1 | REG 0 a PTPL | GOOD | 1; a; -`);
    expect(player.state.aptpl).to.equal(true);
    player.play(`
      A1 | RSV T5      | GOOD  | 1; a; 5/a
      B1 | TUR         | GOOD
      A1 | POWER-CYCLE | GOOD  | 0; a; 5/a | A1:29/00 B1:29/00
      A1 | RSV T5      | 29/00
      A1 | RSV T5      | GOOD
      B1 | REG 0 b     | 29/00
      B1 | REG 0 b     | GOOD  | 1; a b; 5/a
    `);
    expect(player.state.aptpl).to.equal(false);
    player.play(`
      A1 | POWER-CYCLE | GOOD  | 0; -; - | A1:29/00 B1:29/00
      A1 | WRITE       | 29/00
      A1 | WRITE       | GOOD
    `);
  });

  it("21. Resets and nexus loss", () => {
    play(`
      A1 | REG 0 a    | GOOD  | 1; a; -
      B1 | REG 0 b    | GOOD  | 2; a b; -
      A1 | RSV T3     | GOOD  | 2; a b; 3/a
      B1 | LU-RESET   | GOOD  |            | A1:29/03 B1:29/03
      A1 | WRITE      | 29/03
      A1 | WRITE      | GOOD
      B1 | READ       | 29/03
      B1 | READ       | RC
      A1 | NEXUS-LOSS | GOOD  |            | A1:29/07
      B1 | READ-KEYS  | GOOD
      B1 | RSV T3     | RC
      A1 | WRITE      | 29/07
      A1 | WRITE      | GOOD
      A9 | WRITE      | RC
      A9 | REG a a    | RC
      A9 | REG 0 a    | GOOD  | 3; a b a; 3/a
      A9 | WRITE      | RC
      A9 | PRE a T3   | GOOD  | 4; b a; 3/a | A1:2A/05
      A9 | WRITE      | GOOD
    `);
  });

  it("22. Register and move", () => {
    play(`
      A1 | REG 0 a          | GOOD  | 1; a; -
      B1 | REG 0 b          | GOOD  | 2; a b; -
      A1 | MOVE c C2        | 24/00
      A1 | RSV T6           | GOOD  | 2; a b; 6/a
      C1 | MOVE c C2        | RC
      B1 | MOVE c C2        | RC
      A1 | MOVE 0 C2        | 26/00
      A1 | MOVE c A2        | 26/00
      A1 | MOVE c C2 port=9 | 26/00
      A1 | MOVE c C2        | GOOD  | 3; a b c; 6/c
      A1 | WRITE            | GOOD
      A1 | REL T6           | GOOD
      C2 | MOVE b9 B1 UNREG | GOOD  | 4; a b9; 6/b9
      C2 | READ             | RC
      B1 | REL T6           | GOOD  | 4; a b9; - | A1:2A/04
      B1 | RSV T7           | GOOD  | 4; a b9; 7/0
      B1 | MOVE c C2        | RC
    `);
  });

  it("23. SPEC_I_PT", () => {
    play(`
      A1 | REG 0 k SPEC=BC | GOOD  | 1; k k k; -
      A1 | REG k k SPEC=D  | 26/00
      D1 | REG 0 d SPEC=A  | 26/00
      C1 | TUR             | GOOD
      B1 | RSV T5          | GOOD  | 1; k k k; 5/k
      A1 | WRITE           | GOOD
      A1 | REL T5          | GOOD
      B1 | REG k 0         | GOOD  | 2; k k; - | A1:2A/04 C1:2A/04
    `);
  });

  it("24. ALL_TG_PT", () => {
    play(`
      A1 | REG 0 a ATP | GOOD | 1; a a; -
      A2 | RSV T3      | GOOD | 1; a a; 3/a
      A1 | WRITE       | RC
      A2 | WRITE       | GOOD
      A1 | REG a 0     | GOOD | 2; a; 3/a
      A2 | WRITE       | GOOD
      A2 | REG a 0 ATP | GOOD | 3; -; -
    `);
  });

  it("25. Old RESERVE with CRH=1", () => {
    play(`
      A1 | RESERVE6 | GOOD
      A1 | RELEASE6 | GOOD
      A1 | REG 0 a  | GOOD | 1; a; -
      B1 | REG 0 b  | GOOD | 2; a b; -
      A1 | RESERVE6 | RC
      A1 | RELEASE6 | RC
      A1 | RSV T1   | GOOD | 2; a b; 1/a
      A1 | RESERVE6 | GOOD
      B1 | RESERVE6 | RC
      C1 | RELEASE6 | RC
      A1 | REL T1   | GOOD | 2; a b; -
      A1 | RSV T5   | GOOD | 2; a b; 5/a
      B1 | RESERVE6 | GOOD
      B1 | RELEASE6 | GOOD
      C1 | RESERVE6 | RC
    `);
  });

  it("26. Precedence", () => {
    play(`
      A1 | REG 0 a   | GOOD  | 1; a; -
      B1 | REG 0 b   | GOOD  | 2; a b; -
      A1 | RSV T5    | GOOD  | 2; a b; 5/a
      A1 | PRE b     | GOOD  | 3; a; 5/a | B1:2A/05
      B1 | WRITE     | RC
      B1 | RSV T5    | RC
      B1 | READ-KEYS | 2A/05
      B1 | WRITE     | RC
      A1 | LU-RESET  | GOOD  |           | A1:29/03 B1:29/03
      B1 | WRITE     | 29/03
      B1 | WRITE     | RC
      A1 | INQUIRY   | GOOD
      A1 | READ-KEYS | 29/03
      A1 | READ-KEYS | GOOD
    `);
  });

  it("27. Multipath, one key on several paths", () => {
    play(`
      A1 | REG 0 a  | GOOD  | 1; a; -
      A2 | REG 0 a  | GOOD  | 2; a a; -
      B1 | REG 0 b  | GOOD  | 3; a a b; -
      B2 | REG 0 b  | GOOD  | 4; a a b b; -
      A1 | RSV T5   | GOOD  | 4; a a b b; 5/a
      A2 | WRITE    | GOOD
      A2 | REL T5   | GOOD
      A2 | RSV T5   | RC
      A2 | PRE a T5 | GOOD  | 5; a b b; 5/a | A1:2A/05     # path A1 is dead
      A1 | REG 0 a  | 2A/05
      A1 | REG 0 a  | GOOD  | 6; a b b a; 5/a
      B1 | P&A a T5 | GOOD  | 7; b b; 5/b | A1:2A/05 A2:2A/05
      A1 | TUR      | 2A/05
      A2 | WRITE    | RC
    `);
  });

  it("28. fence_scsi / Pacemaker", () => {
    play(`
      A1 | RAI a     | GOOD  | 1; a; -
      A1 | RSV T5    | GOOD  | 1; a; 5/a
      B1 | RAI b     | GOOD  | 2; a b; 5/a
      C1 | RAI c     | GOOD  | 3; a b c; 5/a
      B1 | READ-KEYS | GOOD
      B1 | P&A a T5  | GOOD  | 4; b c; 5/b | A1:2A/05
      A1 | WRITE     | RC
      A1 | TUR       | 2A/05
      A1 | RAI a     | GOOD  | 5; b c a; 5/b
      A1 | WRITE     | GOOD
      C9 | RAI c     | GOOD  | 6; b c a c; 5/b             # C restarted with another ISID
      C9 | PRE c T5  | GOOD  | 7; b a; 5/b | C1:2A/05
      C9 | RAI c     | GOOD  | 8; b a c; 5/b
      C9 | WRITE     | GOOD
    `);
  });

  it("29. Windows failover cluster", () => {
    play(`
      A1 | RAI a     | GOOD  | 1; a; -
      A1 | RSV T5    | GOOD  | 1; a; 5/a
      B1 | RSV T5    | RC
      B1 | WRITE     | RC
      B1 | READ      | GOOD
      B1 | PRE a T5  | RC
      B1 | RAI b     | GOOD  | 2; a b; 5/a
      B1 | RSV T5    | RC
      B1 | WRITE     | GOOD
      B1 | REL T5    | GOOD
      B1 | PRE a T5  | GOOD  | 3; b; 5/b | A1:2A/05         # the owner did not refresh in time
      A1 | WRITE     | RC
      A1 | TUR       | 2A/05
      A1 | REG a a   | RC
      A1 | RAI a     | GOOD  | 4; b a; 5/b
      B1 | REG b b   | GOOD  | 5; b a; 5/b
      B1 | REL T5    | GOOD  | 5; b a; - | A1:2A/04
      A1 | TUR       | 2A/04
      A1 | CLR       | GOOD  | 6; -; - | B1:2A/03
    `);
  });

  it("30. VCS/Veritas I/O fencing", () => {
    play(`
      A1 | REG 0 avcs   | GOOD  | 1; avcs; -
      A2 | REG 0 avcs   | GOOD  | 2; avcs avcs; -
      B1 | REG 0 bvcs   | GOOD  | 3; avcs avcs bvcs; -
      B2 | REG 0 bvcs   | GOOD  | 4; avcs avcs bvcs bvcs; -
      A1 | RSV T5       | GOOD  | 4; avcs avcs bvcs bvcs; 5/avcs
      B1 | RSV T5       | RC
      B2 | WRITE        | GOOD
      A1 | BEGIN        | GOOD
      A2 | BEGIN        | GOOD
      B1 | P&A avcs T5  | GOOD  | 5; bvcs bvcs; 5/bvcs | A1:2A/05 A2:2A/05 A1:2F/00 A2:2F/00
      A1 | END          | ABORTED
      A2 | END          | ABORTED
      A1 | WRITE        | RC
      A2 | WRITE        | RC
      A1 | P&A bvcs T5  | RC
      A1 | TUR          | 2A/05
      A1 | TUR          | 2F/00
      A1 | TUR          | GOOD
      A1 | REG 0 avcs   | GOOD  | 6; bvcs bvcs avcs; 5/bvcs
      A1 | WRITE        | GOOD
      B1 | CLR          | GOOD  | 7; -; - | B2:2A/03 A1:2A/03
    `);
  });
});
