// Momentum: three ways down a bowl or a valley. The kernel sends the paths whole; the page moves a
// step along them.

import { chart } from "./chart.js";
import { button, checkbox, shortNumber, slider } from "./controls.js";
import { contourMap } from "./contours.js";
import { freshId, h, svg } from "./dom.js";
import { connectPage } from "./live.js";
import { momentumOffline } from "./momentum_offline.js";
import { GLYPH_SIGNS } from "./plane.js";
import { player } from "./player.js";
import { prediction } from "./predict.js";
import { followTheme } from "./theme.js";

const WAYS = { gradient_descent: "gradient descent", momentum: "momentum", nesterov: "Nesterov" };
const WAY_STEPS = [20, 50, 100, 150, 200, 300, 500, 1000];
const WAY_SURFACES = {
  bowl: { text: "bowl", formula: "C = (w₁² / κ + w₂²) / 2" },
  valley: { text: "bent valley", formula: "C = ((1 − w₁)² + 10 (w₂ − w₁²)²) / 100" },
};
const WAY_FORMULAS = ["w ← w − ηg", "v ← μv − ηg,  w ← w + v", "v ← μv − ηg,  w ← w + μv − ηg"];

// What is worth trying, with what it takes; everything else is as it opens.
const WAY_USUAL = { surface: "bowl", condition: 25, momentum: 0.9, same_pace: false, steps: 150 };
const WAY_TRIES = [
  { text: "as it opens", learning_rate: 0.5 },
  { text: "a narrow bowl", learning_rate: 0.5, condition: 200, steps: 300 },
  { text: "too much momentum", learning_rate: 0.5, momentum: 0.98 },
  { text: "Nesterov alone diverges", learning_rate: 1.5 },
  { text: "momentum alone converges", learning_rate: 2.2 },
  { text: "the same pace", learning_rate: 0.1, same_pace: true },
  { text: "round the bend", learning_rate: 0.5, surface: "valley", steps: 300 },
];

const WAY_HELP = "The thick line encloses the goal. Click or drag in the picture to move the "
  + "start; arrow keys move it too (with Shift: finer).";
const GOAL_WIDTH = 75; // pixels that its name takes
const FAR_PIXELS = 1e5; // beyond which a line's direction no longer matters

export default {
  render({ model, el }) {
    const name = { role: "group", "aria-label": "Gradient descent, momentum, Nesterov" };
    const root = h("div", { class: "nn-widget nn-ways", ...name });
    el.append(root);
    let frame = null;
    let step = null; // null: the last
    let asked = null; // the curves drawn beforehand

    const blank = () => Boolean(asked && !asked.ready());
    const change = (settings) => live.change(settings);
    const page = layOutWays(root, {
      onStep(at) {
        playing.stop();
        showStep(at);
      },
      onPlace: (start) => change({ start }),
      place: () => frame.settings.start,
      paths: (scale) => wayPaths(scale),
      marks: (scale) => costMarks(frame, blank(), scale),
    });
    const controls = wayControls(page, change);

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        page.setSteps(frame.settings.steps);
      },
      follow: controls.set,
      draw: drawAll,
    });

    const last = () => frame.settings.steps;
    const now = () => Math.min(step ?? last(), last());
    const playing = player(page.play, {
      from: () => (now() >= last() ? 0 : now()),
      to: last,
      show: showStep,
    });
    page.next.addEventListener("click", () => {
      playing.stop();
      showStep(now() >= last() ? 0 : now() + 1);
    });

    function drawAll() {
      if (!frame) return;
      const { settings } = frame;
      const [costs, goalCosts] = frame.arrays.slice(frame.methods.length);
      root.toggleAttribute("data-blank", blank());
      page.map.draw({
        view: frame.view,
        minimum: frame.minimum,
        costs,
        goal: { cost: settings.goal, view: frame.goal_view, costs: goalCosts },
        key: `${settings.surface} ${settings.condition} ${settings.goal}`,
      });
      const ways = waysOf(frame);
      const curves = blank() ? [] : ways.map(({ name: way, colour, costs: y }) => (
        { name: way, colour, x: Array.from(y.keys()), y }
      ));
      page.costs.draw(curves, { xMax: settings.steps, log: true, ...rangeOf(ways, settings.goal) });
      if (asked) asked.lay();
      showStep(step ?? last());
    }

    function showStep(at) {
      const whole = Math.min(Math.max(Math.round(at), 0), last());
      step = whole === last() ? null : whole;
      root.dataset.step = whole;
      page.setStep(whole);
      page.costs.hold(whole);
      page.map.drawOver();
      page.table.show(waysOf(frame), whole, frame.settings);
    }

    // The paths up to the present step, and paler what follows; the start.
    function wayPaths(scale) {
      const g = svg("g", {});
      if (!frame) return g;
      const pixel = ([x, y]) => [near(scale.x(x)), near(scale.y(y))];
      const start = pixel(frame.settings.start);
      if (!blank()) {
        const ways = waysOf(frame).map((way) => ({ ...way, pixels: way.points.map(pixel) }));
        g.append(...ways.map((way) => wayLine(way, now())));
        g.append(...ways.map((way) => wayHead(way, now())));
      }
      g.append(svg("circle", { cx: start[0], cy: start[1], r: 8, class: "nn-ways-start" }));
      return g;
    }

    const unfollow = followTheme(root, () => page.map.repaint());
    live.start();
    if (model.get("_predict")) {
      const names = Object.values(WAYS);
      asked = prediction(page.costs, { names, what: "cost", last: "Show" }, () => {
        live.change({});
      });
      page.time.after(asked.element);
      drawAll();
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

// The ways: {name, colour, rate, limit, first, settled, diverged, points: [[x, y], ...], costs}.
function waysOf(frame) {
  return frame.methods.map((facts, i) => {
    const { shape: [rows], data } = frame.arrays[i];
    const steps = Array.from({ length: rows }, (_, k) => k);
    return {
      ...facts,
      name: WAYS[facts.method],
      colour: i,
      points: steps.map((k) => [data[3 * k], data[3 * k + 1]]),
      costs: steps.map((k) => data[3 * k + 2]),
    };
  });
}

// The axis of costs in whole powers of ten: from far below the goal, where there is such a cost, to
// above the start, and further up where a path diverges.
function rangeOf(ways, goal) {
  const all = ways.flatMap((way) => way.costs);
  const start = ways[0].costs[0];
  const highest = Math.max(goal, Math.min(Math.max(...all), 1e3 * start));
  const lowest = Math.max(Math.min(...all, goal / 3), goal / 1000);
  const yMax = Number(`1e${Math.ceil(Math.log10(highest))}`);
  return { yMin: Number(`1e${Math.floor(Math.log10(lowest))}`), yMax };
}

// ---- controls -----------------------------------------------------------------------------------

function wayControls(page, change) {
  const set = (name) => (value) => change({ [name]: value });
  const choices = []; // buttons that stand for settings: {element, holds(settings)}
  const choice = (text, settings) => {
    const element = button(text, () => change(settings));
    const holds = (now) => Object.entries(settings).every(([name, value]) => now[name] === value);
    choices.push({ element, holds });
    return element;
  };
  const sliders = {
    condition: slider(
      { label: "condition number κ, steep : flat", min: 1, max: 200, scale: "log" },
      set("condition"),
    ),
    learning_rate: slider(
      { label: "learning rate η", min: 0.01, max: 4, scale: "log" },
      set("learning_rate"),
    ),
    momentum: slider({ label: "momentum μ", min: 0, max: 0.99, step: 0.01 }, set("momentum")),
    same_pace: checkbox(
      { label: "gradient descent at η/(1\u00a0−\u00a0μ), momentum's pace on an even slope" },
      set("same_pace"),
    ),
    goal: slider({ label: "goal: cost", min: 1e-6, max: 0.1, scale: "log" }, set("goal")),
    steps: slider({ label: "steps", choices: WAY_STEPS }, set("steps")),
  };
  const surfaces = Object.entries(WAY_SURFACES)
    .map(([surface, { text }]) => choice(text, { surface }));
  const formula = h("div", { class: "nn-ways-formula" });
  const tries = WAY_TRIES.map(
    ({ text, ...settings }) => choice(text, { ...WAY_USUAL, ...settings }),
  );
  const group = (name, ...parts) => h("fieldset", {}, h("legend", {}, name), ...parts);
  const row = (buttons) => h("div", { class: "nn-buttons" }, ...buttons);
  const elements = (...names) => names.map((name) => sliders[name].element);
  page.controls.replaceChildren(
    group("surface", row(surfaces), formula, ...elements("condition")),
    group("steps down", ...elements("learning_rate", "momentum", "same_pace")),
    group("how far", ...elements("goal", "steps")),
    group("try", row(tries)),
  );
  return {
    set(settings) {
      for (const [name, control] of Object.entries(sliders)) control.set(settings[name]);
      formula.textContent = WAY_SURFACES[settings.surface].formula;
      sliders.condition.element.hidden = settings.surface !== "bowl";
      for (const { element, holds } of choices) {
        element.setAttribute("aria-pressed", holds(settings));
      }
    },
  };
}

// ---- the page -----------------------------------------------------------------------------------

function layOutWays(root, { onStep, onPlace, place, paths, marks }) {
  const map = contourMap({
    title: "Cost C over two weights, and the steps down",
    xName: "weight w₁",
    yName: "weight w₂",
    help: WAY_HELP,
    onPlace,
    place,
    overlay: paths,
  });
  const costs = chart({ title: "Cost C by step", xName: "step", onPoint: onStep, overlay: marks });
  const table = wayTable();
  const id = freshId("step");
  const range = h("input", { id, type: "range", min: 0, max: 150, step: 1, value: 0 });
  range.addEventListener("input", () => onStep(Number(range.value)));
  range.addEventListener("keydown", (event) => event.stopPropagation()); // not a notebook's key
  const told = h("output", { class: "nn-toy-epoch", for: id });
  const play = button("Play", () => {}, "move along the paths");
  const next = button("Step", () => {}, "one step further");
  const time = h(
    "div",
    { class: "nn-toy-time" },
    play, next, h("label", { for: id }, "step"), told, range,
  );
  const controls = h("div", { class: "nn-controls" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const side = h("div", { class: "nn-side" }, controls, error);
  const formulas = WAY_FORMULAS.map((formula, colour) => h(
    "div",
    {},
    h("b", { "data-colour": colour }, `${GLYPH_SIGNS[colour]} ${Object.values(WAYS)[colour]}`),
    ` ${formula}`,
  ));
  const steps = h("div", { class: "nn-ways-legend" }, ...formulas);
  const beside = h("div", { class: "nn-ways-beside" }, steps, costs.element, table.element);
  const main = h(
    "div",
    { class: "nn-main" },
    time,
    h("div", { class: "nn-ways-pictures" }, map.element, beside),
  );
  root.append(h("div", { class: "nn-columns" }, side, main));
  return {
    map, costs, table, time, play, next, controls, error,
    setSteps(steps) {
      range.max = steps;
    },
    setStep(step) {
      range.value = step;
      told.textContent = step;
    },
    close() {
      map.close();
      costs.close();
    },
  };
}

// The numbers of each way; also the legend of colours and signs.
function wayTable() {
  const body = h("tbody", {});
  const cost = h("th", { scope: "col" });
  const first = h("th", { scope: "col" });
  const settled = h("th", { scope: "col" }, "stays there from");
  const limit = h("th", { scope: "col" }, "diverges from");
  const head = h("thead", {}, h("tr", {}, h("td", {}), cost, first, settled, limit));
  return {
    element: h("table", { class: "nn-ways-table" }, head, body),
    show(ways, step, { goal, surface, learning_rate: eta }) {
      cost.textContent = `C at step ${step}`;
      first.textContent = `reaches ${shortNumber(goal)}`;
      limit.hidden = surface !== "bowl";
      body.replaceChildren(...ways.map((way) => {
        const none = way.diverged ? "–" : "not yet";
        const told = (k) => (k === null ? none : `step ${k}`);
        const end = way.diverged ? h("strong", {}, "diverges") : told(way.settled);
        return h(
          "tr",
          { "data-method": way.method },
          h(
            "th",
            { scope: "row", "data-colour": way.colour },
            `${GLYPH_SIGNS[way.colour]} ${way.name}`,
            way.rate === eta ? null : `, η = ${shortNumber(way.rate)}`,
          ),
          h("td", {}, step < way.costs.length ? shortNumber(way.costs[step]) : "> 1e12"),
          h("td", {}, told(way.first)),
          h("td", {}, end),
          surface === "bowl" ? h("td", {}, `η = ${shortNumber(way.limit)}`) : null,
        );
      }));
    },
  };
}

// On the curves: the goal's height, and here and there the signs of the ways.
function costMarks(frame, blank, scale) {
  const g = svg("g", { class: "nn-ways-goal" });
  if (!frame) return g;
  const { goal, steps } = frame.settings;
  const y = scale.y(goal);
  g.append(svg("line", { x1: scale.left, x2: scale.right, y1: y, y2: y }));
  const ways = blank ? [] : waysOf(frame);
  g.append(svg("text", freePlace(ways, y, scale), `goal ${shortNumber(goal)}`));
  for (const { colour, costs } of ways) {
    for (let share = 0.08 + 0.05 * colour; share < 0.95; share += 0.18) {
      const step = Math.round(share * steps);
      const height = step < costs.length ? scale.y(costs[step]) : NaN;
      if (!(height >= scale.top && height <= scale.bottom)) continue;
      const d = glyphPath(colour, scale.x(step), height, 4);
      g.append(svg("path", { d, class: "nn-ways-head", "data-colour": colour }));
    }
  }
  return g;
}

// At the right or the left end of the goal's line, above or below it: where the fewest costs are.
function freePlace(ways, y, scale) {
  const places = [[true, -5], [true, 14], [false, -5], [false, 14]].map(([right, below]) => {
    const from = right ? scale.right - GOAL_WIDTH : scale.left;
    const isThere = (cost, step) => (
      scale.x(step) >= from && scale.x(step) <= from + GOAL_WIDTH
      && Math.abs(scale.y(cost) - (y + below - 4)) < 9
    );
    const hits = ways.reduce((sum, { costs }) => sum + costs.filter(isThere).length, 0);
    const anchor = right ? "end" : "start";
    return { hits, x: right ? scale.right - 4 : scale.left + 4, y: y + below, anchor };
  });
  const { x, y: height, anchor } = places.reduce((a, b) => (b.hits < a.hits ? b : a));
  return { x, y: height, "text-anchor": anchor };
}

// ---- paths --------------------------------------------------------------------------------------

function near(pixel) {
  return Math.min(Math.max(pixel, -FAR_PIXELS), FAR_PIXELS);
}

function wayLine({ pixels, colour }, step) {
  const line = (points) => (
    points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")
  );
  const done = pixels.slice(0, step + 1);
  const dots = done.slice(1).map(([x, y]) => glyphPath(colour, x, y, 2.3)).join("");
  return svg(
    "g",
    { class: "nn-ways-path", "data-colour": colour },
    svg("path", { d: line(pixels.slice(step)), class: "nn-ways-rest" }),
    svg("path", { d: line(done), class: "nn-ways-line" }),
    svg("path", { d: dots, class: "nn-ways-dots" }),
  );
}

// Where a way is; none where it has gone beyond all bounds.
function wayHead({ pixels, colour, method }, step) {
  if (step >= pixels.length) return svg("g", {});
  const d = glyphPath(colour, ...pixels[step], 6);
  return svg("path", { d, class: "nn-ways-head", "data-colour": colour, "data-method": method });
}

// The signs of GLYPH_SIGNS: a circle, a triangle, a square.
function glyphPath(kind, x, y, r) {
  const middle = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  const half = (width) => `a${r} ${r} 0 1 0 ${width} 0`;
  if (kind === 0) return `${middle}m${-r} 0${half(2 * r)}${half(-2 * r)}`;
  if (kind === 1) return `${middle}m0 ${-1.25 * r}l${1.15 * r} ${2.1 * r}h${-2.3 * r}z`;
  return `${middle}m${-0.9 * r} ${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`;
}

// What the kernel does for a file without one.
export function answer(frames, settings) {
  return { ...frames[0], ...momentumOffline(frames[0], settings) };
}
