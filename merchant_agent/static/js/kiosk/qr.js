// Texts as QR codes, drawn in the browser: what a slip's code holds is known to nobody else.

import { correction, generate } from "../../vendor/lean-qr-2.7.4/index.mjs";
import { toSvg } from "../../vendor/lean-qr-2.7.4/extras/svg.mjs";

const QUIET = 4;

export function drawQr(slot, text) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const svg = toSvg(code, document, { on: "currentColor", pad: QUIET, width: "100%", height: "100%" });
  svg.setAttribute("aria-hidden", "true");
  slot.replaceChildren(svg);
}
