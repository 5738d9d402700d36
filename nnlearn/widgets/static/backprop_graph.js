// The network of Backprop as a graph: every number has a place, and stands there once the pass has
// come to it. Each weight has a place of its own between the layers, so that none hides another.

import { fourDigits, lowered, plainDigits } from "./digits.js";
import { h, svg } from "./dom.js";

const PASS_ROW = 16; // between lines of numbers, which are 12 pixels high
const PASS_UNIT_ROWS = 5; // b, z, a, delta, gradient of b
const UNIT_HEIGHT = PASS_UNIT_ROWS * PASS_ROW + 8;
const PASS_BOX = 28; // height of an input or a target
const PASS_LEAST_GAP = 90; // between two layers; a graph that needs more room than there is scrolls

// onUnit({layer, index}): a unit was chosen. draw(frame, step, chosen) -> the unit whose numbers
// are to be written out: the chosen one, in the layer that the step is about.
export function passGraph(onUnit) {
  const picture = svg("svg", { class: "nn-pass-graph", role: "group" });
  const element = h(
    "div",
    {
      class: "nn-pass-stage",
      tabindex: 0,
      "aria-label": "the network; left and right arrow keys go through the steps",
    },
    picture,
  );

  const draw = (frame, step, chosen) => {
    const plan = passPlan(frame, element.clientWidth);
    const { width, height } = plan;
    const state = passState(frame, step);
    const worked = workedUnit(frame, state, chosen);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
    picture.dataset.direction = state.direction;
    const focused = picture.contains(document.activeElement)
      ? document.activeElement.dataset.unit : null;
    picture.replaceChildren(
      ...passEdges(frame, plan, state, worked),
      ...passInputs(frame, plan, state),
      ...passUnits(frame, plan, state, worked, onUnit),
      ...passTargets(frame, plan, state),
    );
    if (focused) picture.querySelector(`[data-unit="${focused}"]`)?.focus();
    return worked;
  };
  return { element, draw };
}

// ---- where things are ---------------------------------------------------------------------------

// Sizes and places for this width: middles of the columns' boxes and of each weight's label.
function passPlan(frame, room) {
  const sizes = [frame.settings.x.length, ...frame.layers.map((layer) => layer.b.length)];
  const n = frame.layers.length;
  const narrow = room < 400 + 180 * n;
  const wide = narrow ? { input: 54, unit: 88, target: 70 } : { input: 74, unit: 104, target: 86 };
  const boxes = 4 + wide.input + n * wide.unit + wide.target + 16; // and the way to the targets
  const width = Math.max(room, boxes + n * PASS_LEAST_GAP);
  const gap = (width - boxes) / n;
  const stacked = gap < 160; // a weight's gradient below it, not beside it
  const label = { width: stacked ? 58 : 120, height: stacked ? 2 * PASS_ROW - 2 : PASS_ROW + 2 };
  const heights = [
    sizes[0] * (PASS_BOX + 8),
    ...frame.layers.map((_, i) => {
      return sizes[i + 1] * (Math.max(UNIT_HEIGHT, sizes[i] * label.height) + 12);
    }),
    sizes[n] * (PASS_BOX + 8) + 64,
  ];
  const height = Math.max(...heights) + 20; // the layers' names are on top
  const middleOf = (layer, i) => 20 + ((i + 0.5) * (height - 20)) / sizes[layer];
  const left = (layer) => {
    return layer === 0 ? 2 : 2 + wide.input + layer * gap + (layer - 1) * wide.unit;
  };
  const right = (layer) => left(layer) + (layer === 0 ? wide.input : wide.unit);
  return {
    sizes, wide, stacked, label, height, width, left, right, middleOf,
    targetLeft: width - 2 - wide.target,
    // The middle of the label of the weight from unit i of the layer before to unit j.
    labelOf: (layer, i, j) => ({
      x: right(layer) + gap * 0.5,
      y: middleOf(layer + 1, j) + (i - (sizes[layer] - 1) / 2) * label.height,
    }),
  };
}

// ---- how far the pass is ------------------------------------------------------------------------

// has(kind, layer): whether the pass has come to it; lit(kind, layer): whether it is at it now.
// Layers count from 0 here.
function passState(frame, step) {
  const [kind, number] = frame.steps[step].split(".");
  const index = (what, layer) => {
    const alone = frame.steps.indexOf(what);
    return alone >= 0 ? alone : frame.steps.indexOf(`${what}.${layer + 1}`);
  };
  const outputs = frame.layers.length - 1;
  const errors = (layer) => (layer === outputs ? "BP1" : "BP2");
  const has = (what, layer) => step >= index(what, layer);
  const lit = (what, layer) => step === index(what, layer);
  return {
    kind,
    layer: number ? Number(number) - 1 : kind === "BP1" || kind === "cost" ? outputs : null,
    has,
    lit,
    hasError: (layer) => has(errors(layer), layer),
    litError: (layer) => lit(errors(layer), layer),
    direction: kind === "step" ? "step" : kind.startsWith("BP") ? "back" : "forward",
  };
}

function workedUnit(frame, state, chosen) {
  const layer = state.layer ?? chosen.layer;
  return { layer, index: Math.min(chosen.index, frame.layers[layer].b.length - 1) };
}

// ---- drawing ------------------------------------------------------------------------------------

function passWords(x, y, content, { anchor = "middle", kind = null } = {}) {
  return svg("text", { x, y, "text-anchor": anchor, class: kind }, content);
}

function passWordsAt({ x, y, anchor }, content, kind) {
  return passWords(x, y, content, { anchor, kind });
}

// What stands above a column.
function passHead(x, content) {
  return passWords(x, 12, content, { kind: "nn-pass-head" });
}

function passClasses(names) {
  return Object.entries(names).filter(([, on]) => on).map(([name]) => name).join(" ");
}

// The weights from every layer to the next.
function passEdges(frame, plan, state, worked) {
  const parts = [];
  frame.layers.forEach((layer, l) => {
    const isStep = state.kind === "step";
    const weights = isStep ? layer.newW : layer.W;
    const forward = state.lit("z", l);
    // BP2 uses the weights behind the layer whose errors it makes.
    const errorsBack = l > 0 && state.litError(l - 1) && state.kind === "BP2";
    const lit = forward || errorsBack || state.kind === "BP4" || isStep;
    weights.forEach((row, i) => row.forEach((weight, j) => {
      const place = plan.labelOf(l, i, j);
      const own = errorsBack ? worked.layer === l - 1 && worked.index === i
        : worked.layer === l && worked.index === j;
      const name = passClasses({
        "nn-pass-edge": true,
        "nn-pass-lit-edge": lit,
        "nn-pass-own": lit && own,
        "nn-pass-negative": weight < 0,
      });
      const width = (0.7 + Math.min(1.3 * Math.abs(weight), 5)).toFixed(2);
      const [x0, y0] = [plan.right(l), plan.middleOf(l, i)];
      const [x1, y1] = [plan.left(l + 1), plan.middleOf(l + 1, j)];
      const [from, to] = [place.x - plan.label.width / 2, place.x + plan.label.width / 2];
      const line = `${passBend(x0, y0, from, place.y)}${passBend(to, place.y, x1, y1)}`;
      parts.push(svg("path", { d: line, class: name, "stroke-width": width }));
      const gradient = state.has("BP4") ? layer.gradient[i][j] : undefined;
      const told = { weight, gradient, lit, own: lit && own, state };
      parts.push(passWeight(plan, place, told));
    }));
  });
  for (let l = 0; l < frame.layers.length; l += 1) {
    const { x } = plan.labelOf(l, 0, 0);
    const [first, second] = labelLines(plan, x, 0);
    if (plan.stacked) parts.push(passHead(x, "w, ∂C/∂w"));
    else {
      parts.push(passWordsAt({ ...first, y: 12 }, "w", "nn-pass-head"));
      parts.push(passWordsAt({ ...second, y: 12 }, "∂C/∂w", "nn-pass-head"));
    }
  }
  return parts.sort((a, b) => Number(a.tagName === "g") - Number(b.tagName === "g"));
}

function passBend(x0, y0, x1, y1) {
  const middle = (x0 + x1) / 2;
  return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
}

function passWeight(plan, { x, y }, { weight, gradient, lit, own, state }) {
  const { width, height } = plan.label;
  const box = { x: x - width / 2, y: y - height / 2 + 0.5, width, height: height - 1, rx: 3 };
  const name = passClasses({ "nn-pass-weight": true, "nn-pass-own": own });
  const litWeight = lit && state.kind !== "BP4";
  const litGradient = lit && state.kind === "BP4";
  const [first, second] = labelLines(plan, x, y);
  const kindOf = (on, other) => passClasses({ "nn-pass-now": on, [other]: true });
  const told = gradient === undefined ? "·" : fourDigits(gradient);
  return svg(
    "g",
    { class: name },
    svg("rect", box),
    passWordsAt(first, threePlaces(weight), kindOf(litWeight, "nn-pass-value")),
    passWordsAt(second, told, kindOf(litGradient, "nn-pass-gradient")),
  );
}

// Where a weight and its gradient stand, beside each other or one below the other.
function labelLines(plan, x, y) {
  const places = plan.stacked
    ? [[x, y - 2, "middle"], [x, y + PASS_ROW - 4, "middle"]]
    : [[x - 10, y + 4, "end"], [x + 56, y + 4, "end"]];
  return places.map(([left, base, anchor]) => ({ x: left, y: base, anchor }));
}

// A weight needs three places: two of its own and one for what a step changes.
function threePlaces(value) {
  if (value === null) return "–";
  return Math.abs(value) < 100 ? value.toFixed(3).replace("-", "−") : fourDigits(value);
}

function passInputs(frame, plan, state) {
  const middle = plan.left(0) + plan.wide.input / 2;
  const parts = [passHead(middle, "inputs")];
  frame.settings.x.forEach((value, i) => {
    const y = plan.middleOf(0, i);
    const lit = state.kind === "inputs" || state.lit("z", 0) || state.kind === "BP4";
    const right = plan.right(0);
    const size = { width: plan.wide.input, height: PASS_BOX, rx: 4 };
    const box = { x: plan.left(0), y: y - PASS_BOX / 2, ...size };
    parts.push(svg(
      "g",
      { class: passClasses({ "nn-pass-box": true, "nn-pass-lit-box": lit }) },
      svg("rect", box),
      passWords(box.x + 6, y + 4, `x${lowered(i + 1)}`, { anchor: "start" }),
      passWordsAt({ x: right - 6, y: y + 4, anchor: "end" }, plainDigits(value), "nn-pass-value"),
    ));
  });
  return parts;
}

// A unit: its bias, z, a, delta and the gradient of the bias, one below the other.
function passUnits(frame, plan, state, worked, onUnit) {
  const parts = [];
  frame.layers.forEach((layer, l) => {
    const isLast = l === frame.layers.length - 1;
    const head = `${isLast ? "outputs" : `layer ${l + 1}`}: ${layer.activation}`;
    parts.push(passHead(plan.left(l + 1) + plan.wide.unit / 2, head));
    const isStep = state.kind === "step";
    layer.b.forEach((bias, j) => {
      const errors = state.hasError(l) ? layer.delta[j] : undefined;
      const rows = [
        ["b", isStep ? layer.newb[j] : bias, isStep || state.lit("z", l)],
        ["z", state.has("z", l) ? layer.z[j] : undefined, state.lit("z", l) || state.lit("a", l)],
        ["a", state.has("a", l) ? layer.a[j] : undefined, isSent(state, l, isLast)],
        ["δ", errors, state.litError(l) || isUsed(state, l)],
        ["∂b", state.has("BP3") ? layer.delta[j] : undefined, state.kind === "BP3"],
      ];
      const own = worked.layer === l && worked.index === j;
      parts.push(passUnit(plan, l, j, rows, { own, onUnit }));
    });
  });
  return parts;
}

// Whether the step reads or makes a layer's a.
function isSent(state, l, isLast) {
  if (isLast) return state.lit("a", l) || state.kind === "cost" || state.kind === "BP1";
  return state.lit("a", l) || state.lit("z", l + 1) || state.kind === "BP4";
}

// Whether the step reads a layer's delta.
function isUsed(state, l) {
  const goesBack = state.kind === "BP2" && state.layer === l - 1;
  return goesBack || state.kind === "BP3" || state.kind === "BP4";
}

function passUnit(plan, l, j, rows, { own, onUnit }) {
  const [x, middle, width] = [plan.left(l + 1), plan.middleOf(l + 1, j), plan.wide.unit];
  const top = middle - UNIT_HEIGHT / 2;
  const choose = () => onUnit({ layer: l, index: j });
  const told = rows.filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${fourDigits(value)}`).join(", ");
  return svg(
    "g",
    {
      class: passClasses({ "nn-pass-unit": true, "nn-pass-own": own }),
      tabindex: 0,
      role: "button",
      "aria-pressed": String(own),
      "aria-label": `unit ${j + 1} of layer ${l + 1}: ${told}`,
      "data-unit": `${l}.${j}`,
      onclick: choose,
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        choose();
      },
    },
    svg("rect", { x, y: top, width, height: UNIT_HEIGHT, rx: 8 }),
    ...rows.flatMap(([name, value, lit], row) => {
      const y = top + 4 + row * PASS_ROW;
      const known = value !== undefined;
      const now = lit && known;
      const states = { "nn-pass-value": true, "nn-pass-now": now, "nn-pass-blank": !known };
      const band = { x: x + 3, y, width: width - 6, height: PASS_ROW, rx: 3 };
      const place = { x: x + width - 8, y: y + 12.5, anchor: "end" };
      return [
        ...(now ? [svg("rect", { ...band, class: "nn-pass-band" })] : []),
        passWords(x + 8, y + 12.5, name, { anchor: "start", kind: "nn-pass-name" }),
        passWordsAt(place, known ? fourDigits(value) : "·", passClasses(states)),
      ];
    }),
  );
}

// The targets beside the outputs, and the cost below them.
function passTargets(frame, plan, state) {
  const last = frame.layers.length;
  const x = plan.targetLeft;
  const width = plan.wide.target;
  const lit = state.kind === "cost" || state.kind === "BP1";
  const parts = [passHead(x + width / 2, "targets")];
  frame.settings.y.forEach((value, j) => {
    const y = plan.middleOf(last, j);
    const [from, to] = [plan.right(last), x];
    const line = { x1: from, x2: to, y1: y, y2: y, "stroke-width": 1 };
    parts.push(svg("line", { ...line, class: "nn-pass-edge" }));
    parts.push(svg(
      "g",
      { class: passClasses({ "nn-pass-box": true, "nn-pass-lit-box": lit }) },
      svg("rect", { x, y: y - PASS_BOX / 2, width, height: PASS_BOX, rx: 4 }),
      passWords(x + 6, y + 4, `y${lowered(j + 1)}`, { anchor: "start" }),
      passWords(x + width - 6, y + 4, plainDigits(value), { anchor: "end", kind: "nn-pass-value" }),
    ));
  });
  const isStep = state.kind === "step";
  const [before, after] = frame.losses.slice(frame.settings.taken, frame.settings.taken + 2);
  const bottom = plan.height - 2;
  const litCost = state.kind === "cost" || isStep;
  const told = state.has("cost") ? fourDigits(isStep ? after : before) : "·";
  parts.push(svg(
    "g",
    { class: passClasses({ "nn-pass-box": true, "nn-pass-lit-box": litCost }) },
    svg("rect", { x, y: bottom - PASS_BOX, width, height: PASS_BOX, rx: 4 }),
    passWords(x + 6, bottom - 10, "C", { anchor: "start" }),
    passWords(x + width - 6, bottom - 10, told, { anchor: "end", kind: "nn-pass-value" }),
  ));
  return parts;
}
