// A chart of curves over epochs, in SVG: axes, grid, curves, bands over seeds, grey ghosts, names
// at the curves' ends, a cursor for mouse and arrow keys with the values in words.

import { freshId, h, svg } from "./dom.js";
import { shortNumber } from "./controls.js";
import { powerOfTen } from "./digits.js";

const MARGIN = { left: 46, right: 12, top: 10, bottom: 30 };

// The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten that is not below the value.
export function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const digits = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  return power * digits.find((digit) => digit * power >= value * (1 - 1e-9));
}

// About n round numbers from low to high.
export function ticksBetween(low, high, n) {
  const rough = (high - low) / n;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough * (1 - 1e-9));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) {
    ticks.push(Number((k * step).toPrecision(10)));
  }
  return ticks;
}

// The exponents of at most n powers of ten from low, which is one, to high, evenly apart.
function decadesBetween(low, high, n) {
  const first = Math.round(Math.log10(low));
  const count = Math.floor(Math.log10(high) + 1e-9) - first;
  const step = Math.ceil((count + 1) / n);
  return Array.from({ length: Math.floor(count / step) + 1 }, (_, k) => first + k * step);
}

// title: above the chart; unit: behind numbers in words. The curves given to draw():
//   {name, colour, x, y, dashed, low, high, ghost, end}: x, y: arrays, NaN being a gap; colour: the
//   number of a colour of the style sheet; low, high: a band's borders; ghost: grey, behind the
//   rest; end: what stands at the curve's end, null for nothing.
// onPoint(x): called where the hand presses, drags or moves the cursor by keys; for charts that
// share a cursor, see hold(). overlay(frame): an SVG element on top of the curves, at each redraw.
export function chart({ title, unit = "", xName = "epoch", onPoint = null, overlay = null }) {
  const titleId = freshId("chart");
  const plot = svg("svg", { class: "nn-plot", role: "img", "aria-labelledby": titleId });
  const readout = h("div", { class: "nn-readout", "aria-live": "polite" });
  const note = h("div", { class: "nn-note", role: "status" });
  const element = h(
    "figure",
    { class: "nn-chart", tabindex: 0, "aria-labelledby": titleId },
    h("figcaption", { id: titleId }, title),
    note,
    plot,
    readout,
  );
  let curves = [];
  let frame = null; // {x(value), y(value), width, height, xMax, yMax}
  let cursor = null; // an x value
  let held = null; // where the cursor rests while no pointer is on the chart
  let cursorMark = svg("g");
  let range = { xMax: 1, yMax: 1 };
  let size = null; // asked for anew when it has changed: asking makes the page lay itself out

  const measure = () => {
    size ??= { width: plot.clientWidth, height: plot.clientHeight };
    const width = Math.max(size.width, 160);
    const height = Math.max(size.height, 100);
    const inner = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
    const { xMin = 0, xMax, yMin = 0, yMax, log = false } = range;
    const decades = Math.log10(yMax / yMin);
    const share = log
      ? (value) => Math.min(Math.max(Math.log10(value / yMin) / decades, -0.1), 1.1)
      : (value) => Math.min(value, 2 * yMax) / yMax;
    return {
      width,
      height,
      left: MARGIN.left,
      right: width - MARGIN.right,
      top: MARGIN.top,
      x: (value) => MARGIN.left + (inner.w * (value - xMin)) / (xMax - xMin),
      bottom: height - MARGIN.bottom,
      y: (value) => MARGIN.top + inner.h * (1 - share(value)),
      xAt: (pixel) => xMin + ((pixel - MARGIN.left) / inner.w) * (xMax - xMin),
      yAt: (pixel) => {
        const part = 1 - (pixel - MARGIN.top) / inner.h;
        return log ? yMin * (yMax / yMin) ** part : part * yMax;
      },
    };
  };

  const redraw = () => {
    frame = measure();
    plot.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    const clip = freshId("clip");
    const area = {
      x: MARGIN.left,
      y: MARGIN.top - 4,
      width: frame.width - MARGIN.left - MARGIN.right + 4,
      height: frame.height - MARGIN.top - MARGIN.bottom + 8,
    };
    const drawn = [...curves].sort((a, b) => Number(Boolean(b.ghost)) - Number(Boolean(a.ghost)));
    plot.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", area)),
      axes(frame, range, xName),
      svg("g", { "clip-path": `url(#${clip})` }, ...drawn.map((curve) => line(curve, frame))),
      ends(curves, frame),
      (cursorMark = cursorLine()),
      ...(overlay ? [overlay(frame)] : []),
    );
  };

  const cursorLine = () => {
    const g = svg("g", { class: "nn-cursor" });
    if (cursor === null) return g;
    const x = frame.x(cursor);
    g.append(svg("line", { x1: x, x2: x, y1: MARGIN.top, y2: frame.height - MARGIN.bottom }));
    for (const curve of curves.filter((c) => !c.ghost)) {
      const value = valueAt(curve, cursor);
      if (!Number.isFinite(value) || (range.log && !(value >= range.yMin && value <= range.yMax))) {
        continue;
      }
      g.append(svg("circle", { cx: x, cy: frame.y(value), r: 3, "data-colour": curve.colour }));
    }
    return g;
  };

  const pointAt = (value) => {
    const xs = curves.flatMap((curve) => Array.from(curve.x));
    if (value === null || xs.length === 0) cursor = null;
    else cursor = xs.reduce((a, b) => (Math.abs(b - value) < Math.abs(a - value) ? b : a));
    const parts = cursor === null ? [] : curves
      .filter((curve) => !curve.ghost && Number.isFinite(valueAt(curve, cursor)))
      .map((curve) => `${curve.name} ${shortNumber(valueAt(curve, cursor))}${unit}`);
    const where = `${xName} ${shortNumber(cursor)}`;
    readout.textContent = parts.length ? `${where}: ${parts.join(", ")}` : "";
    if (!frame) return;
    const mark = cursorLine();
    cursorMark.replaceWith(mark);
    cursorMark = mark;
  };

  // The hand is there; pressed: it means the place, and does not only read.
  const moveTo = (value, pressed) => {
    pointAt(value);
    if (pressed && onPoint && cursor !== null) onPoint(cursor);
  };
  const onPointer = (event) => {
    if (!frame) return;
    const value = frame.xAt(event.clientX - plot.getBoundingClientRect().left);
    moveTo(value, event.type === "pointerdown" || event.buttons === 1);
  };
  plot.addEventListener("pointermove", onPointer);
  plot.addEventListener("pointerdown", onPointer);
  plot.addEventListener("pointerleave", () => pointAt(held));
  element.addEventListener("blur", () => pointAt(held));
  element.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in moves) || event.target !== element) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook moves between cells by arrows
    const xs = [...new Set(curves.flatMap((curve) => Array.from(curve.x)))].sort((a, b) => a - b);
    if (xs.length === 0) return;
    const at = cursor === null ? (event.key === "ArrowLeft" ? xs.length : -1) : xs.indexOf(cursor);
    moveTo(xs[Math.min(Math.max(at + moves[event.key], 0), xs.length - 1)], true);
  });
  const observer = new ResizeObserver(() => {
    size = null;
    redraw();
  });
  observer.observe(plot);

  return {
    element,
    plot,
    // xMax, yMax: the axes' ends, which begin at 0, or xMin. log: the y axis goes by powers of ten,
    // from yMin; what lies beyond its ends is not to be seen.
    draw(newCurves, newRange) {
      curves = newCurves;
      range = newRange;
      redraw();
      if (held !== null) pointAt(held);
      plot.dataset.points = Math.max(0, ...curves.filter((c) => !c.ghost).map((c) => c.x.length));
    },
    setTitle(text) {
      element.firstChild.textContent = text;
    },
    setNote(text) {
      if (note.textContent !== text) note.textContent = text;
    },
    // The cursor rests at x; null: nowhere. A widget that plays calls this often: not read aloud.
    hold(x) {
      held = x;
      readout.setAttribute("aria-live", x === null ? "polite" : "off");
      pointAt(held);
    },
    frame: () => frame ?? measure(),
    close() {
      observer.disconnect();
    },
  };
}

function axes(frame, { xMin = 0, xMax, yMin = 0, yMax, log = false }, xName) {
  const g = svg("g", { class: "nn-axes" });
  const left = MARGIN.left;
  const right = frame.width - MARGIN.right;
  const bottom = frame.height - MARGIN.bottom;
  const most = frame.height > 180 ? 5 : 3;
  const ticks = log
    ? decadesBetween(yMin, yMax, most + 2).map((power) => [Number(`1e${power}`), powerOfTen(power)])
    : ticksBetween(0, yMax, most).map((tick) => [tick, shortNumber(tick)]);
  for (const [tick, text] of ticks) {
    const y = frame.y(tick);
    const kind = tick === yMin ? "nn-base" : "nn-grid";
    g.append(svg("line", { x1: left, x2: right, y1: y, y2: y, class: kind }));
    g.append(svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, text));
  }
  for (const tick of ticksBetween(xMin, xMax, frame.width > 400 ? 6 : 4)) {
    const x = frame.x(tick);
    g.append(svg("line", { x1: x, x2: x, y1: bottom, y2: bottom + 4, class: "nn-base" }));
    g.append(svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, shortNumber(tick)));
  }
  g.append(svg("text", { x: right, y: bottom + 28, "text-anchor": "end" }, xName));
  return g;
}

function line(curve, frame) {
  const g = svg("g", { class: curve.ghost ? "nn-ghost" : "nn-curve", "data-colour": curve.colour });
  if (curve.low) {
    const there = Array.from(curve.x.keys()).filter((i) => Number.isFinite(curve.low[i]));
    const up = there.map((i) => `${frame.x(curve.x[i])},${frame.y(curve.high[i])}`);
    const down = there.reverse().map((i) => `${frame.x(curve.x[i])},${frame.y(curve.low[i])}`);
    const points = [...up, ...down].join(" ");
    if (up.length > 1) g.append(svg("polygon", { points, class: "nn-band" }));
  }
  let d = "";
  let pen = false;
  for (let i = 0; i < curve.x.length; i += 1) {
    const is = Number.isFinite(curve.y[i]);
    const place = `${frame.x(curve.x[i]).toFixed(1)} ${frame.y(curve.y[i]).toFixed(1)}`;
    if (is) d += `${pen ? "L" : "M"}${place}`;
    pen = is;
  }
  g.append(svg("path", { d, class: curve.dashed ? "nn-line nn-dashed" : "nn-line" }));
  const last = lastPoint(curve);
  if (last && !curve.ghost && !curve.dashed) {
    g.append(svg("circle", { cx: frame.x(last.x), cy: frame.y(last.y), r: 3.2 }));
  }
  return g;
}

// Names and last values beside the curves' ends, moved apart where they would overlap.
function ends(curves, frame) {
  const g = svg("g", { class: "nn-ends" });
  const labels = curves
    .filter((curve) => curve.end)
    .map((curve) => ({ curve, last: lastPoint(curve) }))
    .filter(({ last }) => last)
    .map(({ curve, last }) => ({ curve, x: frame.x(last.x), y: frame.y(last.y) - 8 }))
    .sort((a, b) => a.y - b.y);
  const lowest = frame.height - MARGIN.bottom - 6;
  labels.forEach((label, i) => {
    const least = i ? labels[i - 1].y + 15 : MARGIN.top + 8;
    label.y = Math.max(label.y, least);
  });
  for (let i = labels.length - 1; i >= 0; i -= 1) {
    labels[i].y = Math.min(labels[i].y, i + 1 < labels.length ? labels[i + 1].y - 15 : lowest);
  }
  for (const { curve, x, y } of labels) {
    const inside = x > frame.width / 2;
    const place = { x: inside ? x - 6 : x + 6, y, "text-anchor": inside ? "end" : "start" };
    g.append(svg("text", { ...place, "data-colour": curve.colour }, curve.end));
  }
  return g;
}

function lastPoint(curve) {
  for (let i = curve.x.length - 1; i >= 0; i -= 1) {
    if (Number.isFinite(curve.y[i])) return { x: curve.x[i], y: curve.y[i] };
  }
  return null;
}

function valueAt(curve, x) {
  const i = curve.x.indexOf(x);
  return i < 0 ? NaN : curve.y[i];
}
