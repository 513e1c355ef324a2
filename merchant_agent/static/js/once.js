// Forms that are sent once, however often and fast their button is pressed.

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.dataset.once === undefined) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  // After this event: a button that is disabled now would not send the form.
  setTimeout(() => setDisabled(form, true));
});

// A page that comes back from the browser's memory can be used again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) {
    delete form.dataset.sent;
    setDisabled(form, false);
  }
});

function setDisabled(form, disabled) {
  for (const button of form.querySelectorAll("button")) button.disabled = disabled;
}
