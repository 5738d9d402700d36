// The plane of two inputs on a canvas: shares of classes as colours, the lines between the classes,
// points as glyphs, a cursor, lines drawn by hand. What to draw comes in one piece to draw().

import { h } from "./dom.js";
import { coloursOfTheme } from "./theme.js";

const PLANE_GLYPHS = ["circle", "triangle", "square"]; // of the classes: never colour alone
export const GLYPH_SIGNS = ["\u25cf", "\u25b2", "\u25a0"];

// How strongly a class that is certain colours the ground, so that points stand out.
const PLANE_STRENGTH = 0.62;

// The colours of the page's theme as [red, green, blue]: of the classes, the ground and the ink;
// levels: those of 0 to 255 from the first class to the second.
export function planeColours(root) {
  const { curves, ground, ink } = coloursOfTheme(root);
  const colours = { classes: curves.slice(0, PLANE_GLYPHS.length), ground, ink };
  const colourAt = (_, level) => mixedColour([255 - level, level], colours);
  const levels = Array.from({ length: 256 }, colourAt);
  return { ...colours, levels };
}

function cssColour([red, green, blue], alpha = 1) {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

// A picture of _planes.py, (k, rows, columns) in bytes from the array's place `at`, as a canvas of
// its cells. k = 1: the share of class 1, or a unit's level, from the first colour to the second.
function fieldOf(data, at, [k, rows, columns], colours) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const cells = rows * columns;
  for (let cell = 0; cell < cells; cell += 1) {
    const colour = k === 1
      ? colours.levels[data[at + cell]]
      : mixedColour(sharesAt(data, at, k, cells, cell), colours);
    for (let c = 0; c < 4; c += 1) image.data[4 * cell + c] = colour[c];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function sharesAt(data, at, k, cells, cell) {
  return Array.from({ length: k }, (_, one) => data[at + one * cells + cell]);
}

// The colour of these shares in 255ths: the ground where all are even.
function mixedColour(shares, { classes, ground }) {
  const even = 1 / shares.length;
  const weights = shares.map((share) => Math.max(0, (share / 255 - even) / (1 - even)));
  const colour = ground.map((value, c) => weights.reduce(
    (sum, weight, one) => sum + PLANE_STRENGTH * weight * (classes[one][c] - value),
    value,
  ));
  return [...colour, 255];
}

// The share of a class in a cell, in [0, 1].
export function shareOf(data, at, k, cells, cell, one) {
  if (k > 1) return data[at + one * cells + cell] / 255;
  const second = data[at + cell] / 255;
  return one === 1 ? second : 1 - second;
}

// The lines where a class is even with the strongest other one, by marching squares over the
// cells' centres, beyond which values go on as they come. Adds to the context's path, the picture
// filling width x height.
function traceLines(context, data, at, [k, rows, columns], width, height) {
  const cells = rows * columns;
  const classes = k === 1 ? [0] : Array.from({ length: k }, (_, one) => one);
  for (const one of classes) {
    const wide = columns + 2;
    const margins = new Float32Array((rows + 2) * wide);
    for (let cell = 0; cell < cells; cell += 1) {
      const place = (Math.floor(cell / columns) + 1) * wide + (cell % columns) + 1;
      margins[place] = marginOf(data, at, k, cells, cell, one);
    }
    goOn(margins, rows, wide, 1, wide); // to the left and right of each row
    goOn(margins, wide, rows + 2, wide, 1);
    marchSquares(context, margins, rows + 2, wide, (u, v) => [
      ((u - 0.5) / columns) * width,
      ((v - 0.5) / rows) * height,
    ]);
  }
}

// Fill the first and the last of each line of a table by going on straight from the two beside it.
// A line's values are `step` apart, lines `stride`.
function goOn(f, lines, length, step, stride) {
  const skip = stride === 1 ? 0 : stride; // the first row is filled by the second call
  for (let line = 0; line < lines; line += 1) {
    const first = skip + line * stride;
    const last = first + (length - 1) * step;
    f[first] = nextOf(f[first + step], f[first + 2 * step]);
    f[last] = nextOf(f[last - step], f[last - 2 * step]);
  }
}

// What follows on a straight line, unless it would begin another side of the line.
function nextOf(edge, before) {
  const next = 2 * edge - before;
  return next > 0 === edge > 0 ? next : edge;
}

// How far a class is ahead of the others; never 0, so that a line always lies between two cells.
function marginOf(data, at, k, cells, cell, one) {
  if (k === 1) return 127.5 - data[at + cell];
  let other = 0;
  for (let c = 0; c < k; c += 1) {
    if (c !== one) other = Math.max(other, data[at + c * cells + cell]);
  }
  return data[at + one * cells + cell] - other + 0.5;
}

// The line where a table f of rows and columns is 0, as straight pieces, to context.moveTo and
// context.lineTo; place(column, row) -> the arguments of these. No value may be 0.
export function marchSquares(context, f, rows, columns, place) {
  for (let row = 0; row + 1 < rows; row += 1) {
    for (let column = 0; column + 1 < columns; column += 1) {
      const i = row * columns + column;
      const [a, b, c, d] = [f[i], f[i + 1], f[i + columns + 1], f[i + columns]]; // clockwise
      if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) continue;
      const ends = [];
      if (a > 0 !== b > 0) ends.push(place(column + a / (a - b), row));
      if (b > 0 !== c > 0) ends.push(place(column + 1, row + b / (b - c)));
      if (c > 0 !== d > 0) ends.push(place(column + d / (d - c), row + 1));
      if (d > 0 !== a > 0) ends.push(place(column, row + a / (a - d)));
      for (let e = 0; e + 1 < ends.length; e += 2) {
        context.moveTo(...ends[e]);
        context.lineTo(...ends[e + 1]);
      }
    }
  }
}

// A picture with its lines; nothing where `at` is null.
export function paintField(data, at, shape, colours, context, width, height) {
  if (at === null) return;
  context.imageSmoothingQuality = "high";
  context.drawImage(fieldOf(data, at, shape, colours), 0, 0, width, height);
  context.beginPath();
  traceLines(context, data, at, shape, width, height);
  context.strokeStyle = cssColour(colours.ink);
  context.stroke();
}

// A canvas as wide as its place, sharp on any screen; paint(context, width, height) fills it.
export function drawingOf(canvas, paint) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (!width || !height) return;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  paint(context, width, height);
}

function pointGlyph(context, kind, x, y, r) {
  context.beginPath();
  if (kind === "circle") context.arc(x, y, r, 0, 2 * Math.PI);
  else if (kind === "square") context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  else {
    context.moveTo(x, y - 1.25 * r);
    context.lineTo(x + 1.15 * r, y + 0.85 * r);
    context.lineTo(x - 1.15 * r, y + 0.85 * r);
    context.closePath();
  }
}

// draw({view, picture, points, colours, cursor, guess}): view [left, right, bottom, top]; picture
// null or {data, at, shape}; points {x: [[x, y], ...], y: [label, ...]}; cursor null or [x, y];
// guess null or [[x, y], ...], a line by hand.
export function plane(attributes) {
  const canvas = h("canvas", { class: "nn-plane-canvas" });
  const element = h("div", { class: "nn-plane", tabindex: 0, ...attributes }, canvas);
  let shown = null;

  const redraw = () => {
    if (shown) drawingOf(canvas, (...args) => paintPlane(shown, ...args));
  };
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas);
  return {
    element,
    draw(next) {
      shown = next;
      const [left, right, bottom, top] = shown.view;
      element.style.aspectRatio = String((right - left) / (top - bottom));
      redraw();
    },
    // Where in the view an event of the mouse is.
    at(event) {
      const box = canvas.getBoundingClientRect();
      const [left, right, bottom, top] = shown.view;
      return [
        left + ((event.clientX - box.left) / box.width) * (right - left),
        top - ((event.clientY - box.top) / box.height) * (top - bottom),
      ];
    },
    close: () => observer.disconnect(),
  };
}

function paintPlane({ view, picture, points, colours, cursor, guess }, context, width, height) {
  const [left, right, bottom, top] = view;
  const place = ([x, y]) => [
    ((x - left) / (right - left)) * width,
    ((top - y) / (top - bottom)) * height,
  ];
  if (picture) {
    context.lineWidth = 2;
    paintField(picture.data, picture.at, picture.shape, colours, context, width, height);
  }
  const radius = points.y.length > 1000 ? 2 : points.y.length > 300 ? 3 : 4;
  context.lineWidth = radius > 2 ? 1.4 : 0.7;
  context.strokeStyle = cssColour(colours.ground);
  points.x.forEach((point, i) => {
    pointGlyph(context, PLANE_GLYPHS[points.y[i]], ...place(point), radius);
    context.fillStyle = cssColour(colours.classes[points.y[i]]);
    context.fill();
    context.stroke();
  });
  context.strokeStyle = cssColour(colours.ink);
  if (guess) {
    context.beginPath();
    guess.map(place).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.setLineDash([2, 6]);
    context.lineCap = "round";
    context.lineWidth = 4;
    context.stroke();
    context.setLineDash([]);
  }
  if (cursor) {
    const [x, y] = place(cursor);
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.globalAlpha = 0.45;
    context.stroke();
    context.globalAlpha = 1;
    pointGlyph(context, "circle", x, y, 6);
    context.lineWidth = 1.5;
    context.stroke();
  }
}
