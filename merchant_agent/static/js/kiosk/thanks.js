// The thanks: the query code and the slip to scan, for a while.

import { drawQr } from "./qr.js";
import { fill } from "./stage.js";

export class Thanks {
  // `told` is the terminal's answer, null while it did not answer; `claim` is what the customer takes along.
  constructor(kind, { told, claim, about, lasts }) {
    this.name = `thanks-${kind}`;
    this.told = told;
    this.claim = claim;
    this.about = about;
    this.lasts = lasts;
  }

  draw(screen) {
    const { told, claim, lasts } = this;
    screen.toggleAttribute("data-kept", told === null);
    screen.toggleAttribute("data-slip", Boolean(told?.slip));
    fill(screen, { code: told?.query_code ?? "", left: lasts });
    if (told?.slip) drawQr(screen.querySelector("[data-qr]"), claim.behind(told));
  }
}
