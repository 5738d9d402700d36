// Activations of a layer's units as squares: the larger the activation, the larger the square;
// filled for positive ones, hollow for negative ones.

import { h } from "./dom.js";
import { shortNumber } from "./controls.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

// Each square has its value as its title; arrow keys read them one by one.
export function unitSquares(label) {
  const grid = h("div", {
    class: "nn-units",
    tabindex: 0,
    role: "group",
    "aria-label": `${label}; arrow keys read them one by one`,
    "data-lm-suppress-shortcuts": "true",
  });
  const readout = h("div", { class: "nn-quiet nn-units-said", "aria-live": "polite" });
  let shown = [];
  let at = null;

  const textOf = (j) => `unit ${j + 1}: ${shortNumber(shown[j])}`;
  const read = (j) => {
    if (at !== null) grid.children[at]?.removeAttribute("data-read");
    at = j !== null && j < shown.length ? j : null;
    if (at !== null) grid.children[at].setAttribute("data-read", "");
    readout.textContent = at === null ? "" : textOf(at);
  };

  grid.addEventListener("keydown", (event) => {
    const column = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ...STEPS, ArrowUp: -column, ArrowDown: column }[event.key];
    if (!step || shown.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = at === null ? 0 : at + step;
    if (next >= 0 && next < shown.length) read(next);
  });
  grid.addEventListener("pointerover", (event) => {
    const j = [...grid.children].indexOf(event.target.closest(".nn-unit"));
    if (j >= 0) read(j);
  });
  grid.addEventListener("pointerleave", () => read(null));
  grid.addEventListener("blur", () => read(null));

  return {
    element: h("div", {}, grid, readout),
    // values: the activations, NaN where there are none; marked: units to point out.
    draw(values, marked) {
      shown = Array.from(values);
      while (grid.children.length > shown.length) grid.lastChild.remove();
      while (grid.children.length < shown.length) {
        grid.append(h("span", { class: "nn-unit" }, h("span", {})));
      }
      const sizes = shown.map((value) => Math.abs(value) || 0);
      const largest = Math.max(1, ...sizes);
      shown.forEach((value, j) => {
        const square = grid.children[j];
        square.title = textOf(j);
        square.toggleAttribute("data-marked", marked.includes(j));
        square.toggleAttribute("data-negative", value < 0);
        square.firstChild.style.transform = `scale(${Math.sqrt(sizes[j] / largest)})`;
      });
      if (at !== null) read(at);
    },
  };
}
