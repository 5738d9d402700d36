// ToyNeuron: one neuron that unlearns its answer, by two costs at once. The kernel sends both paths
// whole; the page moves an epoch along them.

import { chart, niceCeiling } from "./chart.js";
import { button, checkbox, shortNumber, slider } from "./controls.js";
import { fourDigits } from "./digits.js";
import { freshId, h, svg } from "./dom.js";
import { connectPage } from "./live.js";
import { player } from "./player.js";
import { prediction } from "./predict.js";
import { followTheme } from "./theme.js";

const TOY_COSTS = { quadratic: "quadratic", cross_entropy: "cross-entropy" };
const TOY_RATES = [
  { text: "both 0.15", quadratic: 0.15, cross_entropy: 0.15 },
  { text: "both 0.005", quadratic: 0.005, cross_entropy: 0.005 },
  { text: "the book's: 0.15 and 0.005", quadratic: 0.15, cross_entropy: 0.005 },
];
const TOY_EPOCHS = [50, 100, 200, 300, 500, 1000, 2000, 3000];
const TOY_WEIGHT = { min: -6, max: 6, step: 0.05 };
const WRONG_FORMULA = "the book page's wrong formula: it took 1/(1\u00a0−\u00a0a), the derivative "
  + "by a, in place of ∂C\u2060/\u2060∂z\u00a0=\u00a0a";

export default {
  render({ model, el }) {
    const name = { role: "group", "aria-label": "One neuron, two costs" };
    const root = h("div", {
      class: "nn-widget nn-toy",
      ...name,
      "data-lm-suppress-shortcuts": "true", // JupyterLab's arrows move between cells
    });
    el.append(root);
    let frame = null;
    let epoch = 0;
    let asked = null; // the curves drawn beforehand
    const page = layOutToy(root, (at) => {
      playing.stop();
      showEpoch(at);
    });
    const controls = toyControls(page, (settings) => live.change(settings));

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        controls.build(frame);
      },
      follow: controls.set,
      draw() {
        page.setEpochs(frame.settings.epochs);
        drawCurves();
        showEpoch(epoch);
      },
    });

    const playing = player(page.play, {
      from: () => (epoch >= frame.settings.epochs ? 0 : epoch),
      to: () => frame.settings.epochs,
      show: (at) => showEpoch(at),
    });

    function drawCurves() {
      const blank = asked && !asked.ready();
      const paths = toyPaths(frame);
      const xMax = frame.settings.epochs;
      for (const [name, { panel, yMax }] of Object.entries(page.panels)) {
        const curves = blank ? [] : paths.map((path) => toyCurve(path, name, xMax));
        const highest = Math.max(0, ...curves.flatMap((curve) => Array.from(curve.y)));
        panel.draw(curves, { xMax, yMax: yMax ?? niceCeiling(highest) });
      }
      const [z, ...hills] = toyRows(frame.arrays[2]);
      const ends = { xMin: z[0], xMax: z[z.length - 1] };
      const names = Object.values(TOY_COSTS);
      const lines = hills.map((y, i) => ({ name: names[i], end: names[i], colour: i, x: z, y }));
      page.hills.draw(lines, { ...ends, yMax: niceCeiling(Math.max(...hills.flat())) });
      if (asked) asked.lay();
    }

    function showEpoch(at) {
      epoch = Math.min(Math.max(Math.round(at), 0), frame.settings.epochs);
      root.dataset.epoch = epoch;
      page.setEpoch(epoch);
      const paths = toyPaths(frame);
      for (const { panel } of Object.values(page.panels)) panel.hold(epoch);
      page.setPlaces(paths.map((path) => path.at(0)), paths.map((path) => path.at(epoch)));
      page.neurons.forEach((neuron, i) => neuron.show(paths[i], epoch));
    }

    const unfollow = followTheme(root);
    live.start();
    if (model.get("_predict")) {
      const names = Object.values(TOY_COSTS).map((name) => `the ${name} cost`);
      page.time.hidden = true; // it would tell
      asked = prediction(page.panels.a.panel, { names, what: "output" }, () => {
        page.time.hidden = false;
        live.change({});
      });
      page.time.after(asked.element);
      if (frame) drawCurves();
    }

    return () => {
      live.close();
      playing.stop();
      unfollow();
      page.close();
      root.remove();
    };
  },
};

// ---- what a frame holds -------------------------------------------------------------------------

// The two paths: {name, wrong, rate, columns: by name, at(epoch): {w, b, z, ...}}.
function toyPaths(frame) {
  return frame.costs.map((cost, i) => {
    const rows = frame.arrays[i];
    const width = frame.columns.length;
    const epochs = Array.from({ length: rows.shape[0] }, (_, k) => k);
    const column = (c) => epochs.map((k) => rows.data[k * width + c]);
    const wrong = cost === "cross_entropy" && frame.settings.book_formula;
    return {
      name: TOY_COSTS[cost] + (wrong ? " (wrong formula)" : ""),
      cost,
      wrong,
      colour: i,
      rate: frame.settings.learning_rate[cost],
      column: (name) => column(frame.columns.indexOf(name)),
      at: (epoch) => Object.fromEntries(
        frame.columns.map((name, c) => [name, rows.data[epoch * width + c]]),
      ),
    };
  });
}

function toyCurve(path, name, xMax) {
  const y = path.column(name);
  const x = Array.from({ length: xMax + 1 }, (_, k) => k);
  return { name: path.name, colour: path.colour, x, y, end: name === "a" ? path.name : null };
}

function toyRows({ shape: [rows, columns], data }) {
  const row = (_, r) => Array.from(data.slice(r * columns, (r + 1) * columns));
  return Array.from({ length: rows }, row);
}

// ---- controls -----------------------------------------------------------------------------------

// build(frame): once, when the first frame says whether there is a kernel; set(settings).
function toyControls(page, change) {
  let sliders = null;
  let choices = []; // buttons that stand for settings: {element, holds(settings)}

  const choice = (text, holds, settings) => {
    const element = button(text, () => change(settings));
    choices.push({ element, holds });
    return element;
  };
  const bookFormula = checkbox(
    { label: WRONG_FORMULA },
    (on) => change({ book_formula: on }),
  );

  const group = (name, buttons, rest) => {
    const row = h("div", { class: "nn-buttons" }, ...buttons);
    return h("fieldset", {}, h("legend", {}, name), row, ...rest);
  };

  const build = (frame) => {
    if (sliders) return;
    const offline = Boolean(frame.offline);
    const grid = offline ? { choices: frame.limits.rates, strict: true } : null;
    const scale = grid ?? { min: 0.001, max: 10, scale: "log" };
    const rate = (cost, colour) => slider(
      { label: `learning rate η, ${TOY_COSTS[cost]}`, colour, ...scale },
      (value) => change({ learning_rate: { [cost]: value } }),
    );
    sliders = {
      w: slider({ label: "start: weight w", ...TOY_WEIGHT }, (w) => change({ w })),
      b: slider({ label: "start: bias b", ...TOY_WEIGHT }, (b) => change({ b })),
      quadratic: rate("quadratic", 0),
      cross_entropy: rate("cross_entropy", 1),
      epochs: slider({ label: "epochs", choices: TOY_EPOCHS }, (epochs) => change({ epochs })),
    };
    const starts = (offline ? frame.limits.starts : frame.starts).map(([w, b]) => {
      const is = (settings) => settings.w === w && settings.b === b;
      return choice(`w ${shortNumber(w)}, b ${shortNumber(b)}`, is, { w, b });
    });
    const rates = TOY_RATES.filter((one) => Object.keys(TOY_COSTS).every(
      (cost) => !offline || frame.limits.rates.includes(one[cost]),
    )).map(({ text, ...learning_rate }) => {
      const is = (settings) => Object.entries(learning_rate)
        .every(([cost, value]) => settings.learning_rate[cost] === value);
      return choice(text, is, { learning_rate });
    });
    const dragged = offline ? [] : [sliders.w.element, sliders.b.element];
    page.controls.replaceChildren(
      group("start", starts, dragged),
      group("learning rates", rates, [sliders.quadratic.element, sliders.cross_entropy.element]),
      h("div", { class: "nn-toy-rest" }, offline ? null : sliders.epochs.element, h(
        "div",
        {},
        bookFormula.element,
        h("div", { class: "nn-quiet" }, "With it, the book's rates draw the book's curves."),
      )),
    );
  };

  const set = (settings) => {
    for (const name of ["w", "b", "epochs"]) sliders[name].set(settings[name]);
    for (const cost of Object.keys(TOY_COSTS)) sliders[cost].set(settings.learning_rate[cost]);
    bookFormula.set(settings.book_formula);
    for (const { element, holds } of choices) element.setAttribute("aria-pressed", holds(settings));
  };
  return { build, set };
}

// ---- the page -----------------------------------------------------------------------------------

// onEpoch(epoch): a hand moved the epoch.
function layOutToy(root, onEpoch) {
  const panel = (title, yMax = null) => ({ panel: chart({ title, onPoint: onEpoch }), yMax });
  const panels = {
    a: panel("Output a (target 0)", 1),
    cost: panel("Cost C"),
    gradient: panel("Gradient ∂C/∂w = ∂C/∂b"),
    slope: panel("Slope σ′(z)", 0.25),
  };
  let places = null; // {starts, now}: where the balls lie on the hills
  const balls = svg("g", { class: "nn-toy-balls" });
  const hills = chart({
    title: "Cost over z: its slope is the gradient",
    xName: "z",
    overlay: (scale) => {
      if (places) balls.replaceChildren(...toyBalls(places, scale));
      return balls;
    },
  });
  const { a, cost, gradient, slope } = panels;
  const charts = [a.panel, hills, cost.panel, gradient.panel, slope.panel];
  const neurons = [neuronPicture(0), neuronPicture(1)];
  const id = freshId("epoch");
  const range = h("input", { id, type: "range", min: 0, max: 300, step: 1, value: 0 });
  range.addEventListener("input", () => onEpoch(Number(range.value)));
  range.addEventListener("keydown", (event) => event.stopPropagation()); // not a notebook's key
  const told = h("output", { class: "nn-toy-epoch", for: id });
  const play = button("Play", () => {}, "move along the curves");
  const label = h("label", { for: id }, "epoch");
  const time = h("div", { class: "nn-toy-time" }, play, label, told, range);
  const controls = h("div", { class: "nn-controls" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const side = h("div", { class: "nn-side" }, controls, error);
  const main = h(
    "div",
    { class: "nn-main" },
    h("div", { class: "nn-toy-neurons" }, ...neurons.map((one) => one.element)),
    time,
    h("div", { class: "nn-toy-charts" }, ...charts.map((one) => one.element)),
  );
  root.append(h("div", { class: "nn-columns" }, side, main));
  return {
    panels, hills, neurons, time, play, controls, error,
    setEpochs(epochs) {
      range.max = epochs;
    },
    setEpoch(epoch) {
      range.value = epoch;
      told.textContent = epoch;
    },
    setPlaces(starts, now) {
      places = { starts, now };
      balls.replaceChildren(...toyBalls(places, hills.frame()));
    },
    close() {
      for (const one of charts) one.close();
    },
  };
}

// The place of each cost on its hill, with the tangent, whose slope is dC/dz; a ring at the start.
function toyBalls({ starts, now }, scale) {
  const marks = [];
  const pixel = ({ z, cost }) => [
    Math.min(Math.max(scale.x(z), scale.left), scale.right),
    Math.max(scale.y(cost), scale.top),
  ];
  starts.forEach((place, i) => {
    const [x, y] = pixel(place);
    marks.push(svg("circle", { cx: x, cy: y, r: 6, class: "nn-toy-ring", "data-colour": i }));
  });
  now.forEach((place, i) => {
    const [x, y] = pixel(place);
    const right = scale.x(place.z + 1) - scale.x(place.z);
    const up = scale.y(place.cost + place.gradient) - scale.y(place.cost);
    const length = 34 / Math.hypot(right, up);
    const [dx, dy] = [right * length, up * length];
    const ends = { x1: x - dx, x2: x + dx, y1: y - dy, y2: y + dy };
    const inside = scale.x(place.z) >= scale.left && scale.x(place.z) <= scale.right;
    if (inside) marks.push(svg("line", { ...ends, class: "nn-toy-tangent", "data-colour": i }));
    marks.push(svg("circle", { cx: x, cy: y, r: 5.5, class: "nn-toy-ball", "data-colour": i }));
  });
  return marks;
}

// The neuron as a drawing: input, weight (its line's width), bias, output (how full it is), and
// what it costs in numbers.
function neuronPicture(colour) {
  const clip = freshId("clip");
  const text = (x, y, anchor = "middle", bold = false) => svg(
    "text",
    { x, y, "text-anchor": anchor, class: bold ? "nn-toy-strong" : null },
  );
  const weight = svg("line", { x1: 45, x2: 132, y1: 82, y2: 82, class: "nn-toy-edge" });
  const bias = svg("line", { x1: 172, x2: 172, y1: 20, y2: 42, class: "nn-toy-edge" });
  const level = svg("rect", { x: 132, width: 80, class: "nn-toy-level" });
  level.setAttribute("clip-path", `url(#${clip})`);
  const gauge = svg("rect", { x: 286, width: 16, class: "nn-toy-level" });
  const [w, b, z] = [text(88, 66), text(180, 16, "start"), text(172, 87)];
  const a = text(246, 70, "middle", true);
  const size = { viewBox: "0 0 322 140", width: 322, height: 140 };
  const drawing = svg(
    "svg",
    { ...size, class: "nn-toy-drawing", "aria-hidden": "true" },
    svg("clipPath", { id: clip }, svg("circle", { cx: 172, cy: 82, r: 40 })),
    weight,
    bias,
    svg("circle", { cx: 23, cy: 82, r: 22, class: "nn-toy-circle" }),
    filledText(text(23, 87), "x = 1"),
    level,
    svg("circle", { cx: 172, cy: 82, r: 40, class: "nn-toy-circle" }),
    svg("line", { x1: 212, x2: 276, y1: 82, y2: 82, class: "nn-toy-edge", "stroke-width": 1.5 }),
    svg("path", { d: "M284 82l-11 -5v10z", class: "nn-toy-arrow" }),
    gauge,
    svg("rect", { x: 286, y: 22, width: 16, height: 108, class: "nn-toy-circle" }),
    filledText(text(308, 32, "start"), "1"),
    filledText(text(308, 130, "start"), "0"),
    w, b, z, a,
  );
  const title = h("h4", { class: "nn-toy-title" });
  const names = { a: "output a", cost: "cost C", slope: "slope σ′(z)", gradient: "gradient" };
  const numbers = {};
  const rows = Object.entries(names).map(([key, name]) => {
    numbers[key] = h("b", { "data-number": key });
    return h("div", {}, h("span", {}, name), " ", numbers[key]);
  });
  const list = h("div", { class: "nn-toy-numbers" }, ...rows);
  const equation = h("div", { class: "nn-toy-equation" });
  const element = h(
    "section",
    { class: "nn-toy-neuron", "data-colour": colour },
    title,
    h("div", { class: "nn-toy-inside" }, drawing, list),
    equation,
  );
  return {
    element,
    show(path, epoch) {
      const at = path.at(epoch);
      element.setAttribute("aria-label", `the neuron of the ${path.name} cost`);
      title.textContent = `${path.name}, η = ${shortNumber(path.rate)}`;
      for (const name of Object.keys(numbers)) numbers[name].textContent = fourDigits(at[name]);
      equation.replaceChildren(...gradientInWords(path, at));
      element.classList.toggle("nn-toy-wrong", path.wrong);
      for (const [line, value] of [[weight, at.w], [bias, at.b]]) {
        line.setAttribute("stroke-width", Math.min(1 + 3 * Math.abs(value), 18).toFixed(2));
        line.classList.toggle("nn-toy-negative", value < 0);
      }
      setLevel(level, at.a, 42, 80);
      setLevel(gauge, at.a, 22, 108);
      w.textContent = `w = ${fourDigits(at.w)}`;
      b.textContent = `b = ${fourDigits(at.b)}`;
      z.textContent = `z ${fourDigits(at.z)}`;
      a.textContent = at.a < 5e-5 ? "a ≈ 0" : `a ${fourDigits(at.a)}`;
    },
  };
}

function filledText(element, words) {
  element.textContent = words;
  return element;
}

// A column of full height from the top, filled from below by this share.
function setLevel(rect, share, top, height) {
  rect.setAttribute("y", (top + height * (1 - share)).toFixed(2));
  rect.setAttribute("height", (height * share).toFixed(2));
}

// The gradient's formula with its numbers.
function gradientInWords(path, { a, slope, gradient }) {
  const left = "∂C/∂w = ";
  if (path.wrong) {
    return [
      `${left}1/(1 − a) = ${fourDigits(gradient)}, `,
      h("strong", {}, "wrong"),
      `: right is a − y = ${fourDigits(a)}`,
    ];
  }
  if (path.cost === "quadratic") {
    const product = `${fourDigits(a)} · ${fourDigits(slope)}`;
    return [`${left}(a − y) σ′(z) = ${product} = ${fourDigits(gradient)}`];
  }
  return [`${left}a − y = ${fourDigits(gradient)}, without σ′(z)`];
}

// What the kernel does for a file without one: of the frames of ToyNeuron.to_html the two that have
// each cost at its learning rate.
export function answer(frames, settings) {
  const same = (frame) => frame.start[0] === settings.w && frame.start[1] === settings.b
    && frame.book === settings.book_formula;
  const here = frames.filter(same);
  const at = (cost) => here.find((frame) => frame.rate === settings.learning_rate[cost]) ?? here[0];
  const arrays = frames[0].costs.map((cost, i) => at(cost).arrays[i]);
  const unique = (values) => [...new Map(values.map((value) => [String(value), value])).values()];
  const limits = {
    rates: unique(frames.map((frame) => frame.rate)),
    starts: unique(frames.map((frame) => frame.start)),
  };
  return { ...here[0], settings, limits, arrays: [...arrays, here[0].arrays[2]] };
}
