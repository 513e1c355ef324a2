// The thanks: the query code and the slip to scan, for a while.

import { drawQr } from "./qr.js";
import { fill } from "./stage.js";

export class Thanks {
  // `told` is the terminal's answer, null while it did not answer; `claim` is what the customer takes along.
  // `comment` are the words that were sent with it.
  constructor(kind, { told, claim, about, comment, first, lasts }) {
    this.name = `thanks-${kind}`;
    this.told = told;
    this.claim = claim;
    this.about = about;
    this.comment = comment;
    this.first = first;
    this.lasts = lasts;
  }

  // Words that came after the terminal had signed without them.
  get unkept() {
    return this.told?.as_sent === false ? this.comment : "";
  }

  // The terminal keeps it and cannot sign at the moment: there is nothing to prove it with.
  get isUnsigned() {
    return this.told !== null && !this.told.query_code;
  }

  draw(screen) {
    const { told, claim, lasts } = this;
    screen.toggleAttribute("data-kept", told === null);
    screen.toggleAttribute("data-slip", Boolean(told?.slip));
    screen.toggleAttribute("data-aside", this.first === "station");
    screen.toggleAttribute("data-unsigned", this.isUnsigned);
    screen.toggleAttribute("data-page", this.isUnsigned && Boolean(told.page));
    screen.toggleAttribute("data-late", told?.as_sent === false);
    screen.toggleAttribute("data-unkept", this.unkept !== "");
    fill(screen, { code: told?.query_code ?? "", page: told?.page ?? "", left: lasts });
    const slot = screen.querySelector("[data-qr]");
    if (told?.slip) drawQr(slot, claim.behind(told));
    else if (this.isUnsigned && told.page) {
      slot.setAttribute("aria-label", slot.dataset.page);
      drawQr(slot, told.page);
    }
  }
}
