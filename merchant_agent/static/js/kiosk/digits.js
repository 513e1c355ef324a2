// The page of a tablet that is not paired: six digits, from its own keys or a keyboard, and they are sent.

const form = document.querySelector("[data-digits]");
const input = form.querySelector("input[name=code]");

function changed() {
  const digits = input.value.normalize("NFKC").replace(/\D/g, "").slice(0, input.maxLength);
  if (digits !== input.value) input.value = digits;
  if (digits.length === input.maxLength) send();
}

function send() {
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  form.submit();
}

form.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (key === undefined || form.dataset.sent) return;
  input.value = key === "erase" ? input.value.slice(0, -1) : input.value + key;
  // A keyboard may go on from here; the tablet's own stays away, see inputmode.
  if (event.detail > 0) input.focus({ preventScroll: true });
  changed();
});
input.addEventListener("input", changed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.reportValidity()) send();
});
document.addEventListener("contextmenu", (event) => event.preventDefault());
