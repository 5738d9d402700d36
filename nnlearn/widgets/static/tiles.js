// The weights of hidden units as images: grey for 0, one hue for positive, another for negative.

import { h } from "./dom.js";

const POSITIVE = [0, 114, 178];
const NEGATIVE = [213, 94, 0];

// A canvas that shows int8 images (k, height, width) side by side.
export function tiles(label) {
  const canvas = h("canvas", { class: "nn-tiles", role: "img", "aria-label": label });
  let shown = null;
  const draw = () => {
    if (!shown) return;
    const [k, height, width] = shown.shape;
    const dark = canvas.closest("[data-theme]")?.dataset.theme === "dark";
    const ground = dark ? [32, 32, 32] : [255, 255, 255];
    const room = canvas.parentElement?.clientWidth || 400;
    const columns = Math.min(k, Math.max(1, Math.floor(room / 40)));
    const rows = Math.ceil(k / columns);
    canvas.width = columns * (width + 2);
    canvas.height = rows * (height + 2);
    canvas.style.width = `${Math.min(100, (100 * columns * 40) / room)}%`;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let unit = 0; unit < k; unit += 1) {
      const left = (unit % columns) * (width + 2) + 1;
      const top = Math.floor(unit / columns) * (height + 2) + 1;
      for (let pixel = 0; pixel < width * height; pixel += 1) {
        const weight = shown.data[unit * width * height + pixel] / 127;
        const hue = weight > 0 ? POSITIVE : NEGATIVE;
        const share = Math.abs(weight);
        const at = 4 * ((top + Math.floor(pixel / width)) * canvas.width + left + (pixel % width));
        for (let c = 0; c < 3; c += 1) {
          image.data[at + c] = ground[c] + (hue[c] - ground[c]) * share;
        }
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };
  return {
    element: canvas,
    draw(array) {
      shown = array;
      draw();
    },
    redraw: draw,
  };
}
