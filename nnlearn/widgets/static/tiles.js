// The weights of hidden units as images: the page's ground for 0, the first curve's colour for
// positive weights, the second's for negative ones.

import { h } from "./dom.js";
import { coloursOfTheme } from "./theme.js";

// The colour of each weight from -128 to 127, as four bytes.
function coloursOf({ curves: [positive, negative], ground }) {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let weight = -128; weight < 128; weight += 1) {
    const hue = weight > 0 ? positive : negative;
    const share = Math.abs(weight) / 127;
    const colour = ground.map((from, c) => from + (hue[c] - from) * share);
    bytes.set([...colour, 255], 4 * (weight + 128));
  }
  return new Uint32Array(bytes.buffer);
}

// A canvas that shows int8 images (k, height, width) side by side.
export function tiles(label) {
  const canvas = h("canvas", { class: "nn-tiles", role: "img", "aria-label": label });
  let shown = null;
  let room = 400;
  const draw = () => {
    if (!shown) return;
    const [k, height, width] = shown.shape;
    const colours = coloursOf(coloursOfTheme(canvas.closest(".nn-widget")));
    const columns = Math.min(k, Math.max(1, Math.floor(room / 40)));
    const rows = Math.ceil(k / columns);
    const size = { width: columns * (width + 2), height: rows * (height + 2) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    canvas.style.width = `${Math.min(100, (100 * columns * 40) / room)}%`;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    let from = 0;
    for (let unit = 0; unit < k; unit += 1) {
      const left = (unit % columns) * (width + 2) + 1;
      const top = Math.floor(unit / columns) * (height + 2) + 1;
      for (let row = 0; row < height; row += 1) {
        const at = (top + row) * size.width + left;
        for (let x = 0; x < width; x += 1) pixels[at + x] = colours[shown.data[from + x] + 128];
        from += width;
      }
    }
    context.putImageData(image, 0, 0);
  };
  const observer = new ResizeObserver(() => {
    const now = canvas.parentElement?.clientWidth;
    if (!now || now === room) return;
    room = now;
    draw();
  });
  observer.observe(canvas); // whose width is a share of its parent's
  return {
    element: canvas,
    draw(array) {
      shown = array;
      draw();
    },
    redraw: draw,
  };
}
