// A cost over two weights: its contours as lines on a canvas, axes and whatever goes over them in
// SVG, a place to press, drag, or move by arrow keys.

import { ticksBetween } from "./chart.js";
import { shortNumber } from "./controls.js";
import { powerOfTen } from "./digits.js";
import { freshId, h, svg } from "./dom.js";
import { drawingOf, marchSquares } from "./plane.js";
import { coloursOfTheme } from "./theme.js";

const HIGHEST_LEVEL = 1e6;
const LABEL_APART = 26; // pixels between two labels, and between one and the minimum
const LABEL_INSET = 8;
const KEY_STEPS = 40; // of an arrow key across the map; with Shift four times as many
const KEY_WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// xName, yName: below and beside the axes; help: what a hand may do, in words. onPlace([x, y]): the
// hand means this place; place(): where it was, from which arrow keys go. overlay(scale): an SVG
// element over the contours, at each redraw; scale: {x(value), y(value), width, height}.
export function contourMap({ title, xName, yName, help, onPlace, place, overlay }) {
  const [titleId, helpId, clipId] = ["map", "help", "clip"].map(freshId);
  const canvas = h("canvas", { class: "nn-map-field" });
  const plot = svg("svg", { class: "nn-map-plot", "aria-hidden": "true" });
  const area = h("div", {
    class: "nn-map-area",
    tabindex: 0,
    role: "application",
    "aria-labelledby": titleId,
    "aria-describedby": helpId,
  }, canvas, plot);
  const element = h(
    "figure",
    { class: "nn-map" },
    h("figcaption", { id: titleId }, title),
    area,
    h("div", { class: "nn-quiet", id: helpId }, help),
  );
  let shown = null; // what draw() was given
  let painted = ""; // what the canvas shows
  let labels = []; // of contours: {x, y, text}
  let over = svg("g");
  let size = null; // asked for anew when it has changed

  const scale = () => {
    size ??= { width: area.clientWidth, height: area.clientHeight };
    const [left, right, bottom, top] = shown.view;
    const { width, height } = size;
    return {
      width,
      height,
      x: (value) => ((value - left) / (right - left)) * width,
      y: (value) => ((top - value) / (top - bottom)) * height,
    };
  };

  const redraw = () => {
    if (!shown) return;
    const frame = scale();
    if (!frame.width) return;
    const colours = coloursOfTheme(area.closest(".nn-widget"));
    const key = JSON.stringify([shown.key, size, colours]);
    if (key !== painted) {
      drawingOf(canvas, (...args) => { labels = paintContours(shown, colours, ...args); });
      painted = key;
    }
    const minimum = [frame.x(shown.minimum[0]), frame.y(shown.minimum[1])];
    const clip = svg("clipPath", { id: clipId }, svg("rect", {
      width: frame.width, height: frame.height,
    }));
    over = overlay(frame);
    plot.replaceChildren(
      clip,
      mapAxes(shown.view, frame, xName, yName),
      contourLabels(labels, minimum),
      svg("path", { d: crossAt(...minimum), class: "nn-map-minimum" }),
      svg("g", { "clip-path": `url(#${clipId})` }, over),
    );
  };

  const placeAt = (event) => {
    const box = area.getBoundingClientRect();
    const [left, right, bottom, top] = shown.view;
    const x = left + ((event.clientX - box.left) / box.width) * (right - left);
    const y = top - ((event.clientY - box.top) / box.height) * (top - bottom);
    return within([x, y]);
  };
  const within = ([x, y]) => {
    const [left, right, bottom, top] = shown.view;
    const round = (value) => Number(value.toFixed(2));
    return [
      round(Math.min(Math.max(x, left), right)),
      round(Math.min(Math.max(y, bottom), top)),
    ];
  };

  let pointer = null;
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !shown) return;
    pointer = event.pointerId;
    area.setPointerCapture(pointer);
    onPlace(placeAt(event));
  });
  area.addEventListener("pointermove", (event) => {
    if (event.pointerId === pointer) onPlace(placeAt(event));
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    area.addEventListener(name, () => { pointer = null; });
  }
  area.addEventListener("mousedown", (event) => event.stopPropagation()); // not a notebook's
  area.addEventListener("keydown", (event) => {
    if (!(event.key in KEY_WAYS) || !shown) return;
    event.preventDefault();
    event.stopPropagation();
    const [left, right] = shown.view;
    const step = (right - left) / KEY_STEPS / (event.shiftKey ? 4 : 1);
    const [x, y] = place();
    const [dx, dy] = KEY_WAYS[event.key];
    onPlace(within([x + dx * step, y + dy * step]));
  });

  const observer = new ResizeObserver(() => {
    size = null;
    redraw();
  });
  observer.observe(area);

  return {
    element,
    area,
    // next: {view, minimum, costs, goal: {cost, view, costs}, key}. view: [left, right, bottom,
    // top]; costs: {shape: [rows, columns], data}, from the view's lower left to its upper right;
    // goal: a cost whose line is thicker, with costs of the part of the view around it, for a finer
    // line; key: a text that differs where any of these does.
    draw(next) {
      shown = next;
      const [left, right, bottom, top] = shown.view;
      area.style.aspectRatio = String((right - left) / (top - bottom));
      redraw();
    },
    // Only what goes over the contours.
    drawOver() {
      if (!shown || !scale().width) return;
      const next = overlay(scale());
      over.replaceWith(next);
      over = next;
    },
    repaint: redraw,
    close: () => observer.disconnect(),
  };
}

// Shades and lines of the costs; the answer: where labels of whole powers of ten may stand.
function paintContours({ costs, goal, view, minimum }, { ink, ground }, context, width, height) {
  const [left, right, bottom, top] = view;
  const [rows, columns] = costs.shape;
  context.imageSmoothingQuality = "high";
  // Costs are of the cells' corners; the image has a cell around each.
  const [overX, overY] = [width / (columns - 1) / 2, height / (rows - 1) / 2];
  context.drawImage(shadeOf(costs, ink), -overX, -overY, width + 2 * overX, height + 2 * overY);
  const highest = costs.data.reduce((a, b) => Math.max(a, b), 0);
  const labels = [];
  const middle = ((minimum[0] - left) / (right - left)) * width;
  const trace = (level, table, [first, last, low, high]) => {
    let lowest = null; // of places about as low the one nearest to below the minimum
    const see = (x, y) => {
      const inside = x > 2 * LABEL_INSET && x < width - 2 * LABEL_INSET && y < height - LABEL_INSET;
      const depth = y - 0.02 * Math.abs(x - middle);
      if (inside && (lowest === null || depth > lowest.depth)) lowest = { x, y, depth };
    };
    const pen = {
      moveTo(x, y) {
        see(x, y);
        context.moveTo(x, y);
      },
      lineTo: (x, y) => context.lineTo(x, y),
    };
    const [up, across] = table.shape;
    const place = (column, row) => [
      ((first + (column / (across - 1)) * (last - first) - left) / (right - left)) * width,
      ((top - low - (row / (up - 1)) * (high - low)) / (top - bottom)) * height,
    ];
    const root = Math.sqrt(level); // roots of costs go up straight in a bowl
    const above = Float64Array.from(table.data, (cost) => Math.sqrt(cost) - root || 1e-300);
    context.beginPath();
    marchSquares(pen, above, up, across, place);
    context.stroke();
    return lowest;
  };
  const colour = (rgb, alpha) => `rgba(${rgb.join(", ")}, ${alpha})`;
  const isGoal = (level) => Math.abs(Math.log(level / goal.cost)) < 0.2;
  for (let power = -3; 10 ** power < Math.min(highest, HIGHEST_LEVEL); power += 1) {
    for (const level of [Number(`1e${power}`), Number(`3e${power}`)]) {
      const whole = level < 2 * 10 ** power;
      context.lineWidth = whole ? 1.2 : 0.8;
      context.strokeStyle = colour(ink, whole ? 0.42 : 0.22);
      const lowest = isGoal(level) ? null : trace(level, costs, view);
      if (lowest && whole) labels.push({ ...lowest, text: powerOfTen(power) });
    }
  }
  context.lineCap = "round";
  for (const [lineWidth, strokeStyle] of [[4, colour(ground, 0.8)], [2, colour(ink, 1)]]) {
    Object.assign(context, { lineWidth, strokeStyle });
    trace(goal.cost, goal.costs, goal.view);
  }
  return labels;
}

// The higher the cost, the more ink, by powers of ten.
function shadeOf({ shape: [rows, columns], data }, ink) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let cell = 0; cell < rows * columns; cell += 1) {
    const row = rows - 1 - Math.floor(cell / columns); // an image begins at the top
    const at = 4 * (row * columns + (cell % columns));
    image.data.set(ink, at);
    const part = (Math.log10(Math.max(data[cell], 1e-9)) + 3) / 4;
    image.data[at + 3] = 255 * 0.2 * Math.min(Math.max(part, 0), 1);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function mapAxes([left, right, bottom, top], { x, y, width, height }, xName, yName) {
  const g = svg("g", { class: "nn-map-axes" });
  g.append(svg("rect", { width, height, class: "nn-map-border" }));
  for (const tick of ticksBetween(left, right, 4)) {
    g.append(svg("line", { x1: x(tick), x2: x(tick), y1: height, y2: height + 4 }));
    const at = { x: x(tick), y: height + 16, "text-anchor": "middle" };
    g.append(svg("text", at, shortNumber(tick)));
  }
  for (const tick of ticksBetween(bottom, top, 4)) {
    g.append(svg("line", { x1: -4, x2: 0, y1: y(tick), y2: y(tick) }));
    g.append(svg("text", { x: -7, y: y(tick) + 4, "text-anchor": "end" }, shortNumber(tick)));
  }
  g.append(svg("text", { x: width / 2, y: height + 30, "text-anchor": "middle" }, xName));
  const turned = `translate(-34 ${height / 2}) rotate(-90)`;
  g.append(svg("text", { transform: turned, "text-anchor": "middle" }, yName));
  return g;
}

// From the highest down, where there is room.
function contourLabels(labels, minimum) {
  const placed = [minimum];
  const g = svg("g", { class: "nn-map-labels" });
  for (const { x, y, text } of [...labels].reverse()) {
    const near = ([otherX, otherY]) => Math.hypot(x - otherX, y - otherY) < LABEL_APART;
    if (placed.some(near)) continue;
    placed.push([x, y]);
    g.append(svg("text", { x, y: y + 4, "text-anchor": "middle" }, text));
  }
  return g;
}

function crossAt(x, y) {
  return `M${x - 6} ${y}h12M${x} ${y - 6}v12`;
}
