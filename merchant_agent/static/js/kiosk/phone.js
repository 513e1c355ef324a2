// The way to the phone: a code that leads to the same questions there, or to the complaint.

import { drawQr } from "./qr.js";
import { fill } from "./stage.js";

// A complaint's form, with what was chosen here behind `#`, which reaches no server's log: codes of the
// catalogue alone, `#what=a.b&want=c`. Words, numbers and faces stay here. js/brought.js reads it.
function formOf(url, { categories, remedies }) {
  const chosen = Object.entries({ what: categories, want: remedies }).filter(([, codes]) => codes.length > 0);
  const behind = chosen.map(([name, codes]) => `${name}=${codes.join(".")}`).join("&");
  return `${url}/complain${behind && "#"}${behind}`;
}

export class Phone {
  // `url` is what the code says; `answer` is the visit's that was begun here, `kept` the step to go back to.
  constructor({ name, url, question, answer = null, kept = null }) {
    Object.assign(this, { name, question, answer, kept });
    this.url = kept === null ? url : formOf(url, kept);
  }

  draw(screen) {
    fill(screen, { order: this.question?.order ?? "" });
    screen.toggleAttribute("data-sale", this.question !== null);
    drawQr(screen.querySelector("[data-qr]"), this.url);
  }
}
