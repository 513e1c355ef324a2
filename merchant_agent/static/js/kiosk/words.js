// A suggestion, and a complaint in three short steps. Neither needs a sale, a name or a number.

import { Claim } from "./claim.js";
import { newId } from "./ids.js";
import { attachPad } from "./pad.js";
import { fields, toggles } from "./stage.js";
import { halfWidth, tidy } from "./text.js";
import { here, offerTimes, partsOf } from "./time.js";

const AMOUNT = /^\d{1,8}(\.\d{1,2})?$/;
const TELEPHONE = /^\d{7,15}$/;

function blame(screen, names) {
  for (const fault of screen.querySelectorAll("[data-fault]")) fault.hidden = !names.includes(fault.dataset.fault);
  return names.length === 0;
}

export class Suggest {
  name = "suggest";

  // `comment` are words that the customer wrote before.
  constructor(question, lang, comment = "") {
    this.id = newId();
    this.claim = new Claim();
    this.prompt = question?.prompt ?? null;
    this.lang = lang;
    this.comment = comment;
  }

  // Whether there is something that would be lost.
  get isEntered() {
    return tidy(this.comment) !== "";
  }

  get path() {
    return `/kiosk/api/suggestions/${this.id}`;
  }

  draw(screen) {
    this.screen = screen;
    fields(screen, this, () => blame(screen, []));
    screen.querySelector("textarea").focus();
  }

  check() {
    return blame(this.screen, tidy(this.comment) ? [] : ["comment"]);
  }

  body() {
    return { prompt: this.prompt, comment: tidy(this.comment), lang: this.lang, claim: this.claim.hash };
  }
}

// A telephone number is asked for only where somebody wants to leave one.
export class Complain {
  steps = ["complain-what", "complain-want", "complain-words", "complain-contact", "complain-first"];
  step = 0;
  first = "shop";

  // The sale's number, time and amount stand there already, for the customer to correct.
  constructor(question, lang, comment = "") {
    this.id = newId();
    this.claim = new Claim();
    this.prompt = question?.prompt ?? null;
    this.lang = lang;
    this.categories = [];
    this.remedies = [];
    this.comment = comment;
    this.order = question?.order ?? "";
    this.amount = question?.amount ?? "";
    [this.day, this.hour, this.minute] = partsOf(question?.at ?? here());
    this.opened = new Set();
    this.contact = "";
    this.consents = [];
    this.notice = null;
    this.given = [this.order, this.amount];
  }

  get isEntered() {
    const { categories, remedies, contact, order, amount, given } = this;
    const isChanged = order !== given[0] || amount !== given[1];
    return isChanged || categories.length + remedies.length > 0 || tidy(this.comment + contact) !== "";
  }

  get name() {
    return this.steps[this.step];
  }

  get path() {
    return `/kiosk/api/complaints/${this.id}`;
  }

  // How far the next step is, and the one before.
  get ahead() {
    return this.name === "complain-words" && halfWidth(this.contact) === "" ? 2 : 1;
  }

  get behind() {
    return this.name === "complain-first" && halfWidth(this.contact) === "" ? 2 : 1;
  }

  draw(screen) {
    this.screen = screen;
    toggles(screen, "category", this.categories, () => blame(screen, []));
    toggles(screen, "remedy", this.remedies, () => blame(screen, []));
    toggles(screen, "consent", this.consents, () => blame(screen, []));
    this.notice = screen.querySelector("[data-notice]")?.dataset.notice ?? this.notice;
    offerTimes(screen, this.day);
    fields(screen, this, () => blame(screen, []));
    attachPad(screen);
    if (this.name === "complain-words") screen.querySelector("textarea").focus({ preventScroll: true });
    if (this.opened.has(this.name)) this.showMore();
  }

  showMore() {
    const rest = this.screen.querySelector("[data-rest]");
    this.opened.add(this.name);
    rest.hidden = false;
    this.screen.querySelector("[data-do=more]").hidden = true;
    rest.querySelector("button").focus();
  }

  check() {
    const faults = [
      this.name === "complain-what" && this.categories.length === 0 && "categories",
      this.name === "complain-words" && halfWidth(this.amount) && !AMOUNT.test(halfWidth(this.amount)) && "amount",
      this.name === "complain-contact" && this.faultOfContact(),
    ];
    return blame(this.screen, faults.filter(Boolean));
  }

  faultOfContact() {
    const number = halfWidth(this.contact);
    if (number && !TELEPHONE.test(number)) return "contact";
    if (number && this.consents.length === 0) return "consents";
    return !number && this.consents.length > 0 ? "number" : null;
  }

  body() {
    const isComplete = halfWidth(this.contact) !== "" && this.faultOfContact() === null;
    const { prompt, categories, remedies, lang, day, hour, minute } = this;
    const occurred = day ? `${day}T${hour}:${minute}` : "";
    return {
      prompt, categories, remedies, lang, claim: this.claim.hash,
      comment: tidy(this.comment), order: halfWidth(tidy(this.order)), occurred_at: occurred, amount: halfWidth(this.amount),
      contact: isComplete ? halfWidth(this.contact) : "", consents: isComplete ? this.consents : [], notice: this.notice,
      first: this.first,
    };
  }
}
