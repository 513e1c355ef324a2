// How far this tablet knows the terminal's chain to reach: no personal data, and it outlives every customer.
//
// Whoever sets the shop's device back to an older state cannot set back its tablets: what they remember is
// sent with each look at the screen, as `issuer.epoch.seq.link.mac`, and the terminal signs nothing more
// until that is settled. Another issuer at this address is another terminal: the tablet must be paired anew.

const KEY = "head";

const placeOf = (text) => {
  const [issuer, epoch, seq] = text.split(".");
  return { issuer, epoch: Number(epoch), seq: Number(seq) };
};

export function recall() {
  return localStorage.getItem(KEY) ?? "";
}

// Keeps the furthest place; false where it is of another issuer's chain than this tablet knows.
export function remember(text) {
  if (!text) return true;
  const told = placeOf(text);
  const known = placeOf(recall());
  if (known.issuer && known.issuer !== told.issuer) return false;
  if (!known.issuer || told.epoch > known.epoch || (told.epoch === known.epoch && told.seq > known.seq)) {
    localStorage.setItem(KEY, text);
  }
  return true;
}

// This tablet was paired a moment ago: whatever it knew was of the pairing before.
export function beginAnew() {
  if (location.hash !== "#paired") return;
  localStorage.removeItem(KEY);
  history.replaceState(null, "", location.pathname);
}
