// Shows one screen at a time, made from the page's template of the present language.

const top = document.getElementById("top");
export const stage = document.getElementById("stage");
const strip = document.getElementById("strip");
const heard = document.getElementById("heard");

const CALM_MS = 500;
const FEW_CHARS = 100;

// What has just moved under a finger takes no taps for a moment: the second one of a double tap was
// meant for what stood there before.
export function calm(screen) {
  screen.classList.add("calm");
  setTimeout(() => screen.classList.remove("calm"), CALM_MS);
}

export class Stage {
  constructor(lang) {
    this.lang = lang;
  }

  part(name) {
    const template = document.querySelector(`template[data-lang="${this.lang}"]`);
    return template.content.querySelector(`[data-screen="${name}"]`).cloneNode(true);
  }

  // Replaces what is shown and speaks its heading; `isSame` when only its language changed.
  show(name, { isSame = false } = {}) {
    document.documentElement.lang = this.lang === "zh" ? "zh-CN" : "en";
    const screen = this.part(name);
    const head = this.part("top");
    document.title = head.dataset.title;
    top.replaceChildren(strip, ...head.children);
    stage.replaceChildren(screen);
    stage.inert = false;
    const heading = screen.querySelector("h1");
    if (!isSame) {
      window.scrollTo(0, 0);
      heading?.focus({ preventScroll: true });
      calm(screen);
    }
    return screen;
  }

  // What is shown takes no more taps.
  freeze() {
    stage.inert = true;
  }

  // Nobody sees the page as large as whoever was here before had drawn it.
  unzoom() {
    if ((window.visualViewport?.scale ?? 1) === 1) return;
    const view = document.querySelector("meta[name=viewport]");
    const { content } = view;
    view.content = `${content}, maximum-scale=1`;
    requestAnimationFrame(() => requestAnimationFrame(() => { view.content = content; }));
  }

  count(left) {
    fill(stage, { left });
  }

  get large() {
    return document.documentElement.classList.contains("large");
  }

  set large(isLarge) {
    document.documentElement.classList.toggle("large", isLarge);
  }

  // The strip at the head of the page, where it covers nothing that is read; `name` null takes it away.
  showStrip(name, values = {}) {
    if (name === null) {
      strip.hidden = true;
      strip.replaceChildren();
      return;
    }
    if (strip.dataset.name !== `${name} ${this.lang}` || strip.hidden) {
      strip.replaceChildren(...this.part(name).children);
      strip.dataset.name = `${name} ${this.lang}`;
      strip.classList.toggle("quiet", strip.querySelector("button") === null);
      strip.hidden = false;
      this.say(strip.textContent);
    }
    fill(strip, values);
  }

  say(text) {
    heard.textContent = text.replace(/\s+/g, " ").trim();
  }
}

// Puts texts into the elements that are named for them.
export function fill(root, values) {
  for (const [name, text] of Object.entries(values)) {
    for (const slot of root.querySelectorAll(`[data-slot="${name}"]`)) {
      if (slot.textContent !== String(text)) slot.textContent = text;
    }
  }
}

// One radio group: arrows move the focus without choosing, one tab stop, Space or a tap chooses.
export function radios(group, chosen, onChoose) {
  const buttons = [...group.querySelectorAll("[role=radio]")];
  const rove = (target) => buttons.forEach((button) => { button.tabIndex = button === target ? 0 : -1; });
  const mark = (level) => {
    buttons.forEach((button) => button.setAttribute("aria-checked", String(Number(button.dataset.level) === level)));
    rove(buttons.find((button) => Number(button.dataset.level) === level) ?? buttons[0]);
  };
  group.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const at = buttons.indexOf(document.activeElement);
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    const target = buttons[(at + steps[event.key] + buttons.length) % buttons.length];
    rove(target);
    target.focus();
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const level = Number(button.dataset.level);
      mark(level);
      onChoose(level);
    });
  }
  mark(chosen);
  return mark;
}

// Buttons that are on or off; `codes` is changed in place and kept in the order of showing.
export function toggles(root, kind, codes, onChange) {
  const buttons = [...root.querySelectorAll(`[data-${kind}]`)];
  for (const button of buttons) {
    const code = button.dataset[kind];
    button.setAttribute("aria-pressed", String(codes.includes(code)));
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(isOn));
      const on = buttons.filter((other) => other.getAttribute("aria-pressed") === "true");
      codes.splice(0, codes.length, ...on.map((other) => other.dataset[kind]));
      onChange();
    });
  }
}

// Text fields that show and change members of `values`.
export function fields(root, values, onChange) {
  for (const input of root.querySelectorAll("[data-field]")) {
    const name = input.dataset.field;
    input.value = values[name];
    const count = root.querySelector(`[data-count="${input.id}"]`);
    tellRoom(input, count);
    input.addEventListener("input", () => {
      values[name] = input.value;
      tellRoom(input, count);
      onChange(name);
    });
  }
}

// How many characters may still be written, once there are few.
function tellRoom(input, count) {
  if (count === null) return;
  const left = input.maxLength - input.value.length;
  count.hidden = left > FEW_CHARS;
  fill(count, { room: left });
}
