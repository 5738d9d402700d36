// CostComparison: costs side by side, retrained while a slider moves.

import { button, select, shortNumber, slider, textBox } from "./controls.js";
import { chart, niceCeiling } from "./chart.js";
import { copyText } from "./copy.js";
import { h } from "./dom.js";
import { unpackFrame } from "./frames.js";
import { connectPage } from "./live.js";
import { prediction } from "./predict.js";
import { followTheme } from "./theme.js";
import { tiles } from "./tiles.js";
import { variantControls } from "./variants.js";

const COST_NAMES = {
  quadratic: "Quadratic cost",
  cross_entropy: "Cross-entropy cost",
  log_likelihood: "Log-likelihood cost",
  hinge: "Hinge cost",
};
const ACTIVATIONS = ["sigmoid", "tanh", "relu", "linear"];
const INITIALISATIONS = ["large", "scaled", "xavier", "he", "zeros"];
const PICTURES = [["change", "what training changed"], ["weights", "weights"]];
const IMAGES = [50, 100, 200, 500, 1000, 2000, 3000, 5000, 10000, 20000, 50000];
const BATCHES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const EPOCHS = [1, 2, 3, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 400];
const UNITS = [5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200];

// The axis of errors ends at one of these, so that it does not jitter while a slider moves.
const ERROR_ENDS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1];

export default {
  render({ model, el }) {
    const about = { role: "group", "aria-label": "Costs side by side" };
    const root = h("div", { class: "nn-widget nn-comparison", ...about });
    el.append(root);
    const page = layOut(root);
    let frame = null;
    let pinned = null;
    let asked = null; // the curve drawn beforehand

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        if (asked === null && model.get("_predict")) ask();
        if (controlsDiffer(frame)) buildControls();
      },
      follow: setControls,
      draw: drawAll,
    });

    // ---- controls -----------------------------------------------------------------------------

    let controls = {};
    let built = "";
    const variants = variantControls({
      frame: () => frame,
      change: (settings) => live.change(settings),
      coloured: true,
    });

    function controlsDiffer(next) {
      return built !== JSON.stringify([variantsOf(next), next.limits, next.offline]);
    }

    function variantsOf(of) {
      return Object.keys(of.settings.variants);
    }

    function buildControls() {
      built = JSON.stringify([variantsOf(frame), frame.limits, frame.offline]);
      const set = (name) => (value) => live.change({ [name]: value });
      const { rates, oneRate, choice } = variants.build();
      const images = IMAGES.filter((n) => n < frame.limits.n_train).concat(frame.limits.n_train);
      controls = {
        n_train: slider({ label: "training images", choices: images }, set("n_train")),
        units: slider({ label: "hidden units", choices: UNITS }, (n) => {
          const layers = frame.settings.hidden.length || 1;
          live.change({ hidden: Array(layers).fill(n) });
        }),
        l2: slider({ label: "l2", min: 0.001, max: 100, scale: "log0" }, set("l2")),
        epochs: slider({ label: "epochs", choices: EPOCHS }, set("epochs")),
        batch_size: slider({ label: "batch size", choices: BATCHES }, set("batch_size")),
        hidden: textBox({
          label: "hidden layers",
          hint: "sizes, such as 30 or 100, 30; empty for none",
          parse: sizesIn,
          format: (sizes) => sizes.join(", "),
        }, set("hidden")),
        activation: select({ label: "activation", options: ACTIVATIONS }, set("activation")),
        init: select({ label: "start weights", options: INITIALISATIONS }, set("init")),
        momentum: slider({ label: "momentum", min: 0, max: 0.99, step: 0.01 }, set("momentum")),
        dropout: slider({ label: "dropout", min: 0, max: 0.9, step: 0.05 }, set("dropout")),
        l1: slider({ label: "l1", min: 0.001, max: 100, scale: "log0" }, set("l1")),
        seeds: slider(
          { label: "seeds", choices: seedChoices(), strict: Boolean(frame.offline) },
          set("seeds"),
        ),
        pictures: select({ label: "pictures of units", options: PICTURES }, set("pictures")),
      };
      const inSight = frame.offline ? ["seeds"] : ["n_train", "units", "l2"];
      const inDrawer = Object.keys(controls).filter((name) => !inSight.includes(name));
      page.controls.replaceChildren(
        ...rates,
        ...inSight.map((name) => controls[name].element),
      );
      page.drawer.replaceChildren(
        oneRate,
        choice,
        ...inDrawer.map((name) => controls[name].element),
      );
      page.details.hidden = Boolean(frame.offline);
      for (const part of [page.buttons, page.actions]) part.hidden = Boolean(frame.offline);
      setControls(frame.settings);
    }

    function seedChoices() {
      const most = frame.offline ? frame.limits.seeds : 10;
      return Array.from({ length: most }, (_, i) => i + 1);
    }

    function setControls(settings) {
      variants.set(settings);
      for (const [name, control] of Object.entries(controls)) {
        if (name === "seeds") control.set(countOf(settings.seeds));
        else if (name in settings) control.set(settings[name]);
      }
      controls.units?.set(settings.hidden[0] ?? 0);
    }

    // ---- pictures -----------------------------------------------------------------------------

    function drawAll() {
      if (!frame) return;
      const mine = isDrawn() ? curvesOf(frame, false) : [];
      const ghosts = pinned ? curvesOf(pinned, true) : [];
      const runs = [...frame.runs, ...(pinned ? pinned.runs : [])];
      const xMax = Math.max(1, ...runs.map((run) => run.epochs));
      drawErrors(mine, ghosts, xMax);
      drawCosts(mine, ghosts, xMax);
      drawTiles();
      drawStatus();
      if (asked) asked.lay();
    }

    function ask() {
      const wanted = { names: variantsOf(frame), what: "validation error" };
      asked = prediction(page.errors, wanted, () => live.change({}));
      page.errors.element.after(asked.element);
    }

    function isDrawn() {
      return asked === null || asked.ready();
    }

    function drawErrors(mine, ghosts, xMax) {
      const curves = [...ghosts, ...mine].filter((curve) => curve.of === "error");
      const highest = Math.max(0.02, ...curves.flatMap((curve) => beyondStart(curve.y)));
      const end = isDrawn() ? 100 * (ERROR_ENDS.find((value) => value >= highest) ?? 1) : 100;
      page.errors.draw(curves.map(inPercent), { xMax, yMax: end });
      const ended = frame.runs.filter((run) => run.state === "diverged");
      const rates = frame.settings.learning_rate;
      const words = ended.map(({ variant, note }) => (
        `${variant}: ${note} (learning rate ${shortNumber(rates[variant])})`
      ));
      page.errors.setNote([...new Set(words)].join("; "));
    }

    function drawCosts(mine, ghosts, xMax) {
      const shown = frame.costs.filter((cost) => frame.columns.includes(`val_${cost}`));
      page.setCosts(shown.map((cost) => COST_NAMES[cost] ?? cost));
      shown.forEach((cost, i) => {
        const curves = [...ghosts, ...mine].filter((curve) => curve.of === cost);
        const highest = Math.max(0, ...curves.flatMap((curve) => beyondStart(curve.y)));
        page.costs[i].draw(curves, { xMax, yMax: niceCeiling(highest) });
      });
    }

    function drawTiles() {
      for (const part of [page.tileRow, page.status]) part.hidden = !isDrawn();
      const first = frame.arrays.slice(frame.runs.length);
      const what = frame.settings.pictures === "change" ? "change of weights" : "weights";
      page.setTiles(frame.tiles, what, (name) => variantsOf(frame).indexOf(name));
      frame.tiles.forEach((name, i) => page.tiles.get(name).draw(first[i]));
    }

    function drawStatus() {
      const running = frame.runs.some((run) => run.state === "training" || run.state === "waiting");
      page.restart.textContent = running && !frame.done ? "Stop" : "Train again";
      if (!frame.done) return;
      const words = frame.offline ? [] : [`trained in ${shortNumber(frame.seconds)} s`];
      const a_second = page.rate(frame);
      if (a_second && !frame.offline) words.push(`${a_second} re-trainings a second`);
      page.status.textContent = words.join("; ");
    }

    // ---- buttons ------------------------------------------------------------------------------

    page.restart.addEventListener("click", () => {
      if (page.restart.textContent === "Stop") live.send({ kind: "stop" });
      else live.change({});
    });
    page.pin.addEventListener("click", () => live.send({ kind: pinned ? "unpin" : "pin" }));
    page.copy.addEventListener("click", () => copyText(frame.code, page.code, page.copied));

    const onPinned = () => {
      pinned = unpackFrame(model.get("_pinned"));
      page.pin.textContent = pinned ? "Unpin" : "Pin";
      page.pin.setAttribute("aria-pressed", pinned ? "true" : "false");
      drawAll();
    };
    model.on("change:_pinned", onPinned);
    const unfollow = followTheme(root, () => page.tiles.forEach((one) => one.redraw()));
    live.start();
    onPinned();

    return () => {
      live.close();
      unfollow();
      model.off("change:_pinned", onPinned);
      page.close();
      root.remove();
    };
  },
};

// The parts of the page and their places.
function layOut(root) {
  const title = "Error on validation (solid) and training data (dashed), in %";
  const errors = chart({ title, unit: " %" });
  errors.element.classList.add("nn-main-chart");
  const costRow = h("div", { class: "nn-row" });
  const tileRow = h("div", { class: "nn-row nn-tile-row" });
  const controls = h("div", { class: "nn-controls" });
  const drawer = h("div", { class: "nn-controls" });
  const details = h("details", { class: "nn-drawer" }, h("summary", {}, "More settings"), drawer);
  const restart = button("Train again", () => {});
  const pin = button("Pin", () => {}, "keep these curves, in grey, to compare with");
  const copy = button("Copy as Python", () => {}, "code that trains exactly these networks");
  const copied = h("span", { class: "nn-quiet", role: "status" });
  const shown = { tabindex: 0, "aria-label": "Python code" };
  const code = h("pre", { class: "nn-code", hidden: true, ...shown });
  const status = h("span", { class: "nn-quiet nn-status", role: "status" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const buttons = h("div", { class: "nn-buttons" }, restart, pin, copy, copied);
  const side = h("div", { class: "nn-side" }, controls, buttons, status, error, details);
  const main = h("div", { class: "nn-main" }, errors.element, costRow, tileRow, code);
  root.append(h("div", { class: "nn-columns" }, side, main));
  const costs = [];
  const tileMap = new Map();
  const ended = []; // when runs ended, of the last two seconds
  let last = -1;
  return {
    ...{ errors, costs, controls, drawer, details, buttons, restart, pin, copy, copied, code },
    ...{ status, error, tileRow },
    actions: status,
    tiles: tileMap,
    setCosts(titles) {
      while (costs.length > titles.length) {
        const one = costs.pop();
        one.close();
        one.element.remove();
      }
      titles.forEach((title, i) => {
        if (!costs[i]) {
          costs[i] = chart({ title });
          costRow.append(costs[i].element);
        }
        costs[i].setTitle(title);
      });
    },
    setTiles(names, what, colourOf) {
      const wanted = [...names].sort((a, b) => colourOf(a) - colourOf(b));
      const key = JSON.stringify([what, wanted]);
      if (tileRow.dataset.key === key) return;
      tileRow.dataset.key = key;
      tileMap.clear();
      tileRow.replaceChildren(...wanted.map((name) => {
        const one = tiles(`${what} of the first layer's units, ${name}`);
        tileMap.set(name, one);
        const caption = h("figcaption", { "data-colour": colourOf(name) }, `${what}, ${name}`);
        return h("figure", { class: "nn-tile-figure" }, caption, one.element);
      }));
    },
    // Complete runs a second, once the hand has made more than one.
    rate(frame) {
      const now = performance.now();
      if (frame.generation !== last) ended.push(now);
      last = frame.generation;
      while (ended.length && now - ended[0] > 2000) ended.shift();
      if (ended.length < 3) return null;
      return Math.round((1000 * (ended.length - 1)) / (ended[ended.length - 1] - ended[0]));
    },
    close() {
      errors.close();
      costs.forEach((one) => one.close());
    },
  };
}

// Seeds are a number of them, or a list.
function countOf(seeds) {
  return Array.isArray(seeds) ? seeds.length : seeds;
}

// The sizes in "100, 30"; throws where there is anything else.
function sizesIn(text) {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const sizes = words.map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) throw new RangeError(text);
  return sizes;
}

// The curves of a frame: for each variant the mean over its seeds of every column, and a band from
// the lowest to the highest seed where there are several.
function curvesOf(frame, ghost) {
  const curves = [];
  const names = Object.keys(frame.settings.variants);
  names.forEach((name, colour) => {
    const group = frame.runs.map((run, i) => ({ run, array: frame.arrays[i] }))
      .filter(({ run, array }) => run.variant === name && array.shape[0] > 0);
    if (group.length === 0) return;
    frame.columns.forEach((column, c) => {
      const onTraining = column.startsWith("train_");
      if (!onTraining && !frame.has_validation) return;
      const solid = !onTraining || !frame.has_validation;
      const curve = overSeeds(group.map(({ array }) => array), c, solid && group.length > 1);
      const of = column.slice(column.indexOf("_") + 1);
      const value = curve.y[curve.y.length - 1];
      const shown = of === "error" ? `${shortNumber(100 * value)} %` : shortNumber(value);
      const set = onTraining ? "training" : "validation";
      const end = solid && !ghost && Number.isFinite(value) ? `${name} ${shown}` : null;
      curves.push({ ...curve, name: `${name}, ${set}`, colour, of, dashed: !solid, ghost, end });
    });
  });
  return curves;
}

// Mean, lowest and highest of a column over several seeds' rows, at each row over those that have
// come so far.
function overSeeds(arrays, column, band) {
  const rows = Math.max(...arrays.map((array) => array.shape[0]));
  const at = (array, row) => array.data[row * array.shape[1] + column];
  const x = Array.from({ length: rows }, (_, row) => row);
  const all = x.map((row) => arrays.filter(({ shape }) => row < shape[0])
    .map((array) => at(array, row)));
  const y = all.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  if (!band) return { x, y };
  return { x, y, low: all.map((v) => Math.min(...v)), high: all.map((v) => Math.max(...v)) };
}

// The values that decide how high an axis goes: those before training count only where alone.
function beyondStart(y) {
  const finite = Array.from(y).slice(y.length > 1 ? 1 : 0).filter(Number.isFinite);
  return finite.length ? [Math.max(...finite)] : [];
}

function inPercent(curve) {
  const scaled = {};
  for (const name of ["y", "low", "high"]) {
    if (curve[name]) scaled[name] = curve[name].map((value) => 100 * value);
  }
  return { ...curve, ...scaled };
}

// What the kernel does for a file without one: the frames of _offline.py, one for each learning
// rate with all seeds, are cut and joined to the one that the settings ask for.
export function answer(frames, settings) {
  const rates = frames.map((frame) => frame.rate);
  const chosen = new Map(Object.entries(settings.learning_rate).map(([name, rate]) => [
    name,
    frames[rates.indexOf(rate)],
  ]));
  const runs = [];
  const arrays = [];
  const pictures = [];
  for (const [name, frame] of chosen) {
    frame.runs.forEach((run, i) => {
      if (run.variant !== name || run.seed >= settings.seeds) return;
      runs.push(run);
      arrays.push(frame.arrays[i]);
    });
    const at = frame.tiles.indexOf(name);
    if (at >= 0) pictures.push([name, frame.arrays[frame.runs.length + at]]);
  }
  return {
    ...frames[0],
    settings,
    runs,
    tiles: pictures.map(([name]) => name),
    arrays: [...arrays, ...pictures.map(([, array]) => array)],
    limits: { rates, seeds: frames[0].settings.seeds, n_train: frames[0].settings.n_train },
  };
}
