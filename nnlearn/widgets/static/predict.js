// First a guess, then the truth: asks for a curve drawn into a chart by hand, for each name in
// turn, and lays it over the real ones.

import { button } from "./controls.js";
import { h, svg } from "./dom.js";

// panel: a chart whose axes are 0..xMax and 0..yMax; names: what is asked for; what: what a curve
// is of; last: the button's word after the last curve. onReady is called once all curves are drawn,
// or skipped.
export function prediction(panel, { names, what, last = "Train" }, onReady) {
  const drawn = new Map();
  let at = 0;
  let strokes = null;
  const said = h("span", { role: "status" });
  const next = button("Next", () => step());
  const skip = button("Show me", () => { at = names.length; finish(); });
  const element = h("div", { class: "nn-predict" }, said, next, skip);
  const overlay = svg("g", { class: "nn-guess" });

  const ask = () => {
    said.textContent = `Draw the ${what} that you expect of ${names[at]}, then press `;
    next.textContent = at + 1 < names.length ? "Next" : last;
    next.disabled = !drawn.has(at);
  };
  const step = () => {
    at += 1;
    if (at < names.length) ask();
    else finish();
  };
  const finish = () => {
    element.hidden = true;
    panel.plot.classList.remove("nn-drawable");
    onReady();
  };

  const lay = () => {
    const frame = panel.frame();
    overlay.replaceChildren(...[...drawn].map(([i, points]) => {
      const d = points.map(([x, y], k) => `${k ? "L" : "M"}${frame.x(x)} ${frame.y(y)}`).join("");
      return svg("path", { d, "data-colour": i, class: "nn-line" });
    }));
    if (panel.plot.lastChild !== overlay) panel.plot.append(overlay);
  };

  panel.plot.addEventListener("pointerdown", (event) => {
    if (at >= names.length) return;
    event.preventDefault();
    panel.plot.setPointerCapture(event.pointerId);
    strokes = [];
    drawn.set(at, strokes);
  });
  panel.plot.addEventListener("pointermove", (event) => {
    if (!strokes) return;
    const box = panel.plot.getBoundingClientRect();
    const frame = panel.frame();
    const x = frame.xAt(event.clientX - box.left);
    const last = strokes.length ? strokes[strokes.length - 1][0] : -Infinity;
    const y = Math.max(frame.yAt(event.clientY - box.top), 0);
    if (x > last) strokes.push([x, y]); // one value for each x
    lay();
  });
  panel.plot.addEventListener("pointerup", () => {
    if (strokes && strokes.length < 2) drawn.delete(at);
    strokes = null;
    if (at < names.length) ask();
  });
  panel.plot.classList.add("nn-drawable");
  ask();
  return { element, ready: () => at >= names.length, lay };
}
