// The way to the phone: a code that leads to the same questions there, or to the complaint.

import { drawQr } from "./qr.js";
import { fill } from "./stage.js";

export class Phone {
  // `url` is what the code says; `answer` is the visit's that was begun here, `kept` the step to go back to.
  constructor({ name, url, question, answer = null, kept = null }) {
    Object.assign(this, { name, url, question, answer, kept });
  }

  draw(screen) {
    fill(screen, { order: this.question?.order ?? "" });
    screen.toggleAttribute("data-sale", this.question !== null);
    drawQr(screen.querySelector("[data-qr]"), this.url);
  }
}
