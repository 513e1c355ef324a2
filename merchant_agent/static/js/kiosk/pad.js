// Our own digits: the keyboards of tablets cover half of the page.

export function attachPad(screen) {
  const inputs = [...screen.querySelectorAll("[data-pad]")];
  if (inputs.length === 0) return;
  let target = null;
  const aim = (input) => {
    target = input;
    inputs.forEach((other) => other.classList.toggle("aimed", other === input));
  };
  inputs.forEach((input) => input.addEventListener("focus", () => aim(input)));
  aim(inputs[inputs.length - 1]);
  for (const key of screen.querySelectorAll("[data-key]")) {
    key.addEventListener("click", () => {
      type(target, key.dataset.key);
      target.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

function type(input, key) {
  if (key === "erase") input.value = input.value.slice(0, -1);
  else if (input.value.length < input.maxLength) input.value += key;
}
