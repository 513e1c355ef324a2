// The thanks: the query code and the slip to scan, for a while.

import { call } from "./api.js";
import { drawQr } from "./qr.js";
import { fill } from "./stage.js";

const PRINT_TIMEOUT_MS = 15000;

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
    this.drawPrint(screen);
    fill(screen, { code: told?.query_code ?? "", page: told?.page ?? "", left: lasts });
    const slot = screen.querySelector("[data-qr]");
    if (told?.slip) drawQr(slot, claim.behind(told));
    else if (this.isUnsigned && told.page) {
      slot.setAttribute("aria-label", slot.dataset.page);
      drawQr(slot, told.page);
    }
  }
  // Whether the slip can be printed, is being printed, or was.
  drawPrint(screen) {
    screen.toggleAttribute("data-prints", Boolean(this.told?.prints) && this.print !== "printed");
    screen.querySelector("[data-do=print]").disabled = this.print === "printing";
    const said = screen.querySelector("[data-printed]");
    said.hidden = !this.print;
    said.dataset.print = this.print ?? "";
  }

  // Has the counter's printer print the slip; `onChange` once the printer took it or did not.
  async printSlip(lang, onChange) {
    if (this.print === "printing" || this.print === "printed") return;
    this.print = "printing";
    onChange();
    try {
      const asked = { query_code: this.told.query_code, lang };
      const { printed } = await call("POST", "/kiosk/api/prints", asked, { timeoutMs: PRINT_TIMEOUT_MS });
      this.print = printed ? "printed" : "unprinted";
    } catch {
      this.print = "unprinted";
    }
    onChange();
  }
}
