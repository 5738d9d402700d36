// A square of paper to draw on: by mouse, finger, pen, or the arrow keys.

import { freshId, h } from "./dom.js";

// Shares of the paper's side: how far apart points lie at least, and how far an arrow key goes.
const APART = 0.006;
const KEY_STEP = 0.02;
const FAR_KEY_STEP = 0.1;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Strokes are lists of points [x, y] from [0, 0], the upper left corner, to [1, 1].
// onDraw(strokes) is called at every new point, and when the hand has left the paper.
export function paper(label, onDraw) {
  const helpId = freshId("paper");
  const canvas = h("canvas", {
    class: "nn-paper",
    tabindex: 0,
    role: "application",
    "aria-label": label,
    "aria-describedby": helpId,
    "data-lm-suppress-shortcuts": "true", // JupyterLab's, which would edit cells
  });
  const help = h("div", { class: "nn-quiet nn-draw-help", id: helpId },
    "Mouse or finger; or arrow keys move the pen (with Shift: far), Space lowers and lifts it.");
  const said = h("div", { class: "nn-quiet nn-draw-said", "aria-live": "polite" });
  const context = canvas.getContext("2d");
  let strokes = [];
  let picture = null; // an image (28, 28) instead of strokes
  let width = 0.08;
  let pointer = null; // the id of the one that draws
  let pen = { x: 0.5, y: 0.5, down: false }; // the keys'

  // A notebook attaches the widget after it has been made; being resized then, it is drawn.
  const redraw = () => {
    if (!canvas.isConnected) return;
    const side = Math.max(1, Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, side, side);
    context.strokeStyle = context.fillStyle = style.color;
    context.imageSmoothingEnabled = false;
    if (picture) context.drawImage(inkImage(picture, style.color), 0, 0, side, side);
    else if (strokes.length === 0) drawHint(side, style);
    context.lineWidth = width * side;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      // A line of no length would leave no ink.
      if (stroke.length === 1) context.lineTo(stroke[0][0] * side + 0.01, stroke[0][1] * side);
      for (const [x, y] of stroke.slice(1)) context.lineTo(x * side, y * side);
      context.stroke();
    }
    if (document.activeElement === canvas && canvas.matches(":focus-visible")) drawPen(side, style);
  };

  const drawHint = (side, style) => {
    context.font = `${0.06 * side}px ${style.fontFamily}`;
    context.textAlign = "center";
    context.fillStyle = style.getPropertyValue("--nn-quiet-ink");
    context.fillText("draw a digit here", side / 2, side / 2);
  };

  const drawPen = (side, style) => {
    context.beginPath();
    context.arc(pen.x * side, pen.y * side, Math.max((width * side) / 2, 3), 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = style.getPropertyValue("--nn-c1");
    context.lineWidth = 2 * (window.devicePixelRatio || 1);
    if (pen.down) context.fill();
    context.stroke();
  };

  const begin = (x, y) => {
    picture = null;
    strokes = [...strokes, [[rounded(x), rounded(y)]]];
    changed();
  };
  const extend = (x, y) => {
    const stroke = strokes[strokes.length - 1];
    const [lastX, lastY] = stroke[stroke.length - 1];
    if (Math.hypot(x - lastX, y - lastY) < APART) return;
    stroke.push([rounded(x), rounded(y)]);
    changed();
  };
  const changed = () => {
    redraw();
    onDraw(strokes);
  };
  const lift = () => {
    if (!pen.down) return;
    pen.down = false;
    said.textContent = "pen up";
    changed();
  };

  const placeOf = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    try {
      canvas.setPointerCapture(pointer);
    } catch {
      // a pointer that has gone already
    }
    lift();
    begin(...placeOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) extend(...placeOf(one));
  });
  const end = (event) => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    onDraw(strokes);
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, end);
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    event.stopPropagation();
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? FAR_KEY_STEP : KEY_STEP;
      pen = { ...pen, x: rounded(pen.x + step * arrow[0]), y: rounded(pen.y + step * arrow[1]) };
      if (pen.down) extend(pen.x, pen.y);
      else redraw();
      const place = `${Math.round(100 * pen.x)} % from the left, ${Math.round(100 * pen.y)} % down`;
      said.textContent = `pen ${pen.down ? "down" : "up"}, ${place}`;
    } else if (event.key === " " && pen.down) {
      lift();
    } else if (event.key === " ") {
      pen.down = true;
      said.textContent = "pen down";
      begin(pen.x, pen.y);
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", redraw);
  canvas.addEventListener("blur", () => {
    lift();
    said.textContent = "";
    redraw();
  });
  const resized = new ResizeObserver(redraw);
  resized.observe(canvas);

  const set = (newStrokes, newPicture) => {
    strokes = newStrokes;
    picture = newPicture;
    redraw();
  };
  return {
    element: h("div", {}, canvas, help, said),
    isDrawing: () => pointer !== null || pen.down,
    // Strokes, or an image in their place.
    set,
    setPen(newWidth) {
      width = newWidth;
      redraw();
    },
    strokes: () => strokes,
    // Take the last stroke away; whether there was one.
    undo() {
      lift();
      if (strokes.length === 0) return false;
      set(strokes.slice(0, -1), null);
      return true;
    },
    clear() {
      lift();
      set([], null);
    },
    redraw,
    close: () => resized.disconnect(),
  };
}

// The image as a canvas of its own pixels, in this colour on nothing.
// image: {shape: [height, width], data}, 0 for paper and 1 for ink.
export function inkImage({ shape, data }, colour) {
  const [height, width] = shape;
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const ink = colour.match(/[\d.]+/g).map(Number);
  data.forEach((value, i) => pixels.data.set([ink[0], ink[1], ink[2], 255 * value], 4 * i));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function rounded(share) {
  return Number(Math.min(Math.max(share, 0), 1).toFixed(4));
}
