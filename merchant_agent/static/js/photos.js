/* Shows the chosen photos, makes them small before they are sent, and keeps to the number that is taken. */
"use strict";

(() => {
  const SIDE = 1600;
  const QUALITY = 0.85;
  const THUMB = 192;

  /* A canvas with the picture upright, its longest side at most `side`. */
  const draw = async (file, side) => {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return canvas;
  };

  /* A JPEG of the picture, which says nothing about where it was taken. */
  const shrink = async (file) => {
    const canvas = await draw(file, SIDE);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return new File([blob], "photo.jpg", { type: "image/jpeg" });
  };

  const begin = (field) => {
    const input = field.querySelector("input[type=file]");
    const list = field.querySelector("[data-previews]");
    const trouble = field.querySelector("[data-trouble]");
    const most = Number(field.dataset.most);
    let kept = [];

    const say = (words) => {
      trouble.textContent = words;
      trouble.hidden = !words;
    };

    const hand = () => {
      const bag = new DataTransfer();
      for (const { file } of kept) bag.items.add(file);
      input.files = bag.files;
      list.replaceChildren(...kept.map((one, index) => item(one, index)));
      list.hidden = kept.length === 0;
    };

    const item = (one, index) => {
      const line = document.createElement("li");
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "secondary";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${field.dataset.remove} ${index + 1}`);
      remove.addEventListener("click", () => {
        kept = kept.filter((other) => other !== one);
        say("");
        hand();
        input.focus();
      });
      line.append(one.thumb, remove);
      return line;
    };

    field.classList.add("is-live");
    input.addEventListener("change", async () => {
      say("");
      for (const chosen of [...input.files]) {
        if (kept.length >= most) {
          say(field.dataset.full);
          break;
        }
        try {
          const file = await shrink(chosen);
          kept.push({ file, thumb: await draw(file, THUMB) });
        } catch {
          say(field.dataset.unreadable);
        }
      }
      hand();
    });
  };

  if (!window.createImageBitmap || !window.DataTransfer) return;
  for (const field of document.querySelectorAll("[data-photos]")) begin(field);
})();
