// DecisionBoundary: what networks of two inputs make of the plane, while they learn it.

import { button, select, shortNumber, slider } from "./controls.js";
import { chart, niceCeiling } from "./chart.js";
import { freshId, h } from "./dom.js";
import { connectPage } from "./live.js";
import { GLYPH_SIGNS, drawingOf, paintField, plane, planeColours, shareOf } from "./plane.js";
import { followTheme } from "./theme.js";
import { variantControls } from "./variants.js";

const DB_OWN_POINTS = "own points";
const DB_CHOICES = {
  n: [10, 20, 50, 100, 200, 300, 500, 1000, 2000],
  batch_size: [1, 2, 5, 10, 20, 50, 100, 200],
  epochs: [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000],
  units: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 20, 30],
};
const DB_ACTIVATIONS = ["sigmoid", "tanh", "relu", "linear"];
const DB_STARTS = ["large", "scaled", "xavier", "he", "zeros"];
const MOST_LAYERS = 3;

// The axis of errors ends at one of these, so that it does not jitter while a slider moves.
const DB_ERROR_ENDS = [5, 10, 20, 40, 60, 80, 100];

const DB_REACH = 14; // pixels within which a point is met
const DB_STEPS = 40; // of the cursor across the plane
const DB_FILM_MS = 260; // between two pictures while the film plays

const DB_HELP = "Click to add a point of the chosen class, shift-click to remove one. Keys: arrows"
  + " move a cursor, Enter adds, Delete removes, 1 to 3 choose the class.";

export default {
  render({ model, el }) {
    const role = { role: "group", "aria-label": "Decision boundaries" };
    const root = h("div", { class: "nn-widget nn-boundary", ...role });
    el.append(root);
    const page = layOutBoundary(root);
    let frame = null;
    let points = { x: [], y: [] };
    let view = [-1, 1, -1, 1];
    let colours = planeColours(root);
    let cursor = null; // where mouse or keys are, in every plane
    let shownEpoch = null; // null: as the networks are now
    let panels = []; // one for each variant
    let mode = 0; // the class that a click adds, or "remove"
    let curveOf = "error";
    let asked = null; // {at, lines, ready}: the lines drawn beforehand

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        if (controlsDiffer()) buildControls();
      },
      follow(settings) {
        takePoints();
        setControls(settings);
      },
      draw: drawAll,
    });

    function takePoints() {
      const [xAt, yAt] = frame.points;
      const { data } = frame.arrays[xAt];
      const y = Array.from(frame.arrays[yAt].data);
      points = { x: y.map((_, i) => [data[2 * i], data[2 * i + 1]]), y };
      if (String(view) !== String(frame.view)) asked?.lines.clear(); // drawn in another plane
      view = frame.view;
    }

    // ---- controls -----------------------------------------------------------------------------

    let controls = {};
    let built = "";
    const variants = variantControls({
      frame: () => frame,
      change: (settings) => live.change(settings),
    });

    function variantsOf() {
      return Object.keys(frame.settings.variants);
    }

    function kindOfControls() {
      return JSON.stringify([variantsOf(), frame.limits, frame.class_names.length]);
    }

    function controlsDiffer() {
      return built !== kindOfControls();
    }

    function buildControls() {
      built = kindOfControls();
      const set = (name) => (value) => live.change({ [name]: value });
      const names = variantsOf();
      const setHidden = () => {
        const layers = Math.min(Math.max(Math.round(controls.layers.value()), 0), MOST_LAYERS);
        live.change({ hidden: Array(layers).fill(controls.units.value()) });
      };
      const { rates, oneRate, choice } = variants.build();
      const of = (name) => ({ choices: DB_CHOICES[name] });
      const grid = frame.limits ? { choices: frame.limits.seeds, strict: true } : null;
      const seeds = grid ?? { min: 0, max: 20 };
      controls = {
        data: select({ label: "data", options: frame.sets }, (data) => {
          live.change({ data, points: null });
        }),
        layers: slider({ label: "hidden layers", min: 0, max: MOST_LAYERS }, setHidden),
        units: slider({ label: "units in each", ...of("units") }, setHidden),
        activation: select({ label: "activation", options: DB_ACTIVATIONS }, set("activation")),
        n: slider({ label: "points", ...of("n") }, set("n")),
        noise: slider({ label: "noise", min: 0, max: 0.5, step: 0.01 }, set("noise")),
        epochs: slider({ label: "epochs", ...of("epochs") }, set("epochs")),
        batch_size: slider({ label: "batch size", ...of("batch_size") }, set("batch_size")),
        momentum: slider({ label: "momentum", min: 0, max: 0.99, step: 0.01 }, set("momentum")),
        l2: slider({ label: "l2", min: 0.001, max: 10, scale: "log0" }, set("l2")),
        init: select({ label: "start weights", options: DB_STARTS }, set("init")),
        seed: slider({ label: "seed", ...seeds }, set("seed")),
      };
      const inSight = ["layers", "units", "activation"];
      const [first, ...rest] = Object.keys(controls);
      const inDrawer = rest.filter((name) => !inSight.includes(name));
      const elements = (some) => some.map((name) => controls[name].element);
      page.controls.replaceChildren(
        ...elements(frame.offline ? [] : [first]),
        ...rates,
        ...elements(frame.offline ? ["seed"] : inSight),
      );
      const curves = [["error", "error in %"], ["loss", "cost"]];
      const curve = select({ label: "curves show the", options: curves }, (of_) => {
        curveOf = of_;
        drawAll();
      });
      curve.set(curveOf);
      page.drawer.replaceChildren(
        oneRate, choice, curve.element,
        ...(frame.offline ? [] : elements(inDrawer)),
      );
      if (frame.offline) page.drawer.replaceChildren(curve.element);
      for (const part of [page.buttons, page.clicks, page.help]) {
        part.hidden = Boolean(frame.offline);
      }
      buildClicks();
      buildPanels(names);
      setControls(frame.settings);
    }

    function setControls(settings) {
      variants.set(settings);
      for (const [name, control] of Object.entries(controls)) {
        if (name in settings) control.set(settings[name]);
      }
      const hidden = [settings.hidden].flat();
      controls.layers?.set(hidden.length);
      const units = hidden[0] ?? controls.units?.value() ?? 8;
      controls.units?.set(units);
      for (const name of ["n", "noise"]) {
        const own = settings.data === DB_OWN_POINTS;
        const inputs = controls[name]?.element.querySelectorAll("input") ?? [];
        inputs.forEach((input) => { input.disabled = own; });
      }
    }

    // What a click does: adds a point of one of the classes, or removes one.
    function buildClicks() {
      const group = freshId("click");
      const words = [0, 1, 2].map((k) => [k, frame.class_names[k] ?? `class ${k}`]);
      const radios = [...words, ["remove", "remove"]].map(([value, text]) => {
        const sign = value === "remove" ? null : glyphSign(value);
        const checked = String(mode) === String(value);
        const onchange = () => { mode = value; };
        const radio = h("input", { type: "radio", name: group, value, checked, onchange });
        return h("label", { class: "nn-check" }, radio, " ", sign, ` ${text}`);
      });
      page.clicks.replaceChildren(h("legend", {}, "a click adds"), ...radios);
    }

    function setMode(next) {
      mode = next;
      page.clicks.querySelectorAll("input").forEach((radio) => {
        radio.checked = radio.value === String(next);
      });
    }

    // ---- points -------------------------------------------------------------------------------

    function sendPoints() {
      live.change({ data: DB_OWN_POINTS, points: { ...points, view } });
      drawAll();
    }

    function addPoint(at, label) {
      points = { x: [...points.x, at], y: [...points.y, label] };
      sendPoints();
    }

    // The point nearest to a place, within reach on this panel.
    function removePoint(at, panel) {
      const box = panel.plane.element.getBoundingClientRect();
      const distances = points.x.map(([x, y]) => Math.hypot(
        ((x - at[0]) / (view[1] - view[0])) * box.width,
        ((y - at[1]) / (view[3] - view[2])) * box.height,
      ));
      const nearest = Math.min(...distances);
      if (!(nearest <= DB_REACH)) return;
      const index = distances.indexOf(nearest);
      const left = (_, i) => i !== index;
      points = { x: points.x.filter(left), y: points.y.filter(left) };
      sendPoints();
    }

    function editable() {
      return frame && !frame.offline && (!asked || asked.ready);
    }

    function onKey(event, panel) {
      const [left, right, bottom, top] = view;
      const step = event.shiftKey ? 0.2 : 1;
      const dx = (step * (right - left)) / DB_STEPS;
      const dy = (step * (top - bottom)) / DB_STEPS;
      const moves = {
        ArrowLeft: [-dx, 0], ArrowRight: [dx, 0], ArrowDown: [0, -dy], ArrowUp: [0, dy],
      };
      const here = cursor ?? [(left + right) / 2, (bottom + top) / 2];
      if (event.key in moves) {
        const [x, y] = [here[0] + moves[event.key][0], here[1] + moves[event.key][1]];
        cursor = [Math.min(Math.max(x, left), right), Math.min(Math.max(y, bottom), top)];
        drawPlanes();
      } else if (event.key === "Escape") {
        cursor = null;
        drawPlanes();
      } else if (editable() && ["Enter", " "].includes(event.key)) {
        if (mode === "remove") removePoint(here, panel);
        else addPoint(here, mode);
      } else if (editable() && ["Delete", "Backspace"].includes(event.key)) {
        removePoint(here, panel);
      } else if (editable() && ["1", "2", "3"].includes(event.key)) {
        setMode(Number(event.key) - 1);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // ---- panels -------------------------------------------------------------------------------

    function buildPanels(names) {
      panels.forEach((panel) => panel.close());
      panels = names.map((name) => {
        const one = panelOf(name, page.help.id);
        one.plane.element.addEventListener("pointermove", (event) => {
          if (drawGuess(event, one)) return;
          cursor = one.plane.at(event);
          drawPlanes();
        });
        one.plane.element.addEventListener("pointerleave", () => {
          cursor = null;
          drawPlanes();
        });
        one.plane.element.addEventListener("pointerdown", (event) => beginGuess(event, one));
        one.plane.element.addEventListener("pointerup", endGuess);
        one.plane.element.addEventListener("click", (event) => {
          if (!editable()) return;
          if (event.shiftKey || mode === "remove") removePoint(one.plane.at(event), one);
          else addPoint(one.plane.at(event), mode);
        });
        // A notebook would take shift-click and arrows for itself.
        one.plane.element.addEventListener("mousedown", (event) => event.stopPropagation());
        one.plane.element.addEventListener("keydown", (event) => onKey(event, one));
        one.plane.element.addEventListener("blur", () => {
          cursor = null;
          drawPlanes();
        });
        return one;
      });
      page.panels.replaceChildren(...panels.map((panel) => panel.element));
      if (asked && !asked.ready) sayWhatIsAsked();
    }

    function drawAll() {
      if (!frame || panels.length === 0) return;
      root.toggleAttribute("data-blank", Boolean(blank()));
      drawFilmControl();
      drawPlanes();
      drawUnits();
      drawCurves();
      drawStatus();
      page.legend.replaceChildren(...legendOf(frame.class_names));
    }

    // The run of a panel, unless the frame is of other variants still.
    function runOf(panel) {
      return frame.runs.find((run) => run.variant === panel.name) ?? null;
    }

    // The array with the pictures that are shown of a run, and which of them: of the end those as
    // the network is, of another epoch those of the film, null while that is not there.
    function pictureOf(run, end, film) {
      if (asked && !asked.ready) return null;
      if (shownEpoch === null) {
        const { shape, data } = frame.arrays[end];
        return { data, at: 0, shape };
      }
      if (film === undefined) return null;
      const { shape, data } = frame.arrays[film];
      const index = run.film_epochs.filter((epoch) => epoch <= shownEpoch).length - 1;
      const size = shape.slice(1).reduce((product, n) => product * n, 1);
      return { data, at: Math.max(index, 0) * size, shape: shape.slice(1) };
    }

    function drawPlanes() {
      panels.forEach((panel, i) => {
        const run = runOf(panel);
        if (!run) return;
        const picture = pictureOf(run, run.plane, run.film[0]) ?? (blank() ? null : panel.last);
        panel.last = picture;
        const guess = asked?.lines.get(i) ?? null;
        panel.plane.draw({ view, picture, points, colours, cursor, guess });
        panel.readout.textContent = cursor && picture ? wordsAt(picture) : "";
      });
    }

    function blank() {
      return asked && !asked.ready;
    }

    // What the network says where the cursor is.
    function wordsAt({ data, at, shape: [k, rows, columns] }) {
      const [left, right, bottom, top] = view;
      const column = Math.floor(((cursor[0] - left) / (right - left)) * columns);
      const row = Math.floor(((top - cursor[1]) / (top - bottom)) * rows);
      const cell = Math.min(Math.max(row, 0), rows - 1) * columns
        + Math.min(Math.max(column, 0), columns - 1);
      const shares = frame.class_names.map((name, one) => (
        `${name} ${shareOf(data, at, k, rows * columns, cell, one).toFixed(2)}`
      ));
      const said = k === 1 ? shares.slice(1) : shares;
      return `(${cursor[0].toFixed(2)}, ${cursor[1].toFixed(2)}): ${said.join(", ")}`;
    }

    function drawUnits() {
      for (const panel of panels) {
        const run = runOf(panel);
        if (!run) continue;
        panel.setLayers(run.sizes, run.units.map((at) => frame.arrays[at].shape[0]));
        run.units.forEach((at, layer) => {
          const picture = pictureOf(run, at, run.film[layer + 1]);
          if (!picture && !blank()) return;
          const [units, rows, columns] = picture ? picture.shape : [0, 0, 0];
          panel.units[layer].forEach((canvas, unit) => {
            const from = unit < units ? picture.at + unit * rows * columns : null;
            const shape = [1, rows, columns];
            const unitShown = [picture?.data, from, shape, colours];
            drawingOf(canvas, (...place) => paintField(...unitShown, ...place));
          });
        });
      }
    }

    function drawCurves() {
      const all = panels.map((panel) => {
        const run = runOf(panel);
        return run && !blank() ? curvesOfRun(run) : [];
      });
      const highest = (curves) => Math.max(0, ...curves.flatMap((curve) => highestOf(curve.y)));
      const errorEnd = DB_ERROR_ENDS.find((end) => end >= highest(all.flat())) ?? 100;
      panels.forEach((panel, i) => {
        const run = runOf(panel);
        const words = curveOf === "error" ? "Error in %" : "Its own cost";
        const sets = frame.has_validation ? ": new points (dashed: training)" : "";
        panel.chart.setTitle(`${words}${sets}`);
        const yMax = curveOf === "error" ? errorEnd : niceCeiling(highest(all[i]));
        panel.chart.draw(all[i], { xMax: Math.max(1, run ? run.epochs : 1), yMax });
        const ended = run?.state === "diverged";
        panel.note.textContent = ended
          ? `Diverged at learning rate ${shortNumber(run.rate)}: ${run.note}` : "";
        const rate = run ? `, learning rate ${shortNumber(run.rate)}` : "";
        panel.caption.textContent = `${panel.name}${rate}`;
      });
    }

    function curvesOfRun(run) {
      const { data, shape: [rows, columns] } = frame.arrays[frame.runs.indexOf(run)];
      const curves = [];
      for (const set of frame.has_validation ? ["val", "train"] : ["train"]) {
        const column = frame.columns.indexOf(`${set}_${curveOf}`);
        const scale = curveOf === "error" ? 100 : 1;
        const all = Array.from({ length: rows }, (_, row) => scale * data[row * columns + column]);
        const name = set === "val" ? "new points" : "training";
        const dashed = set === "train" && frame.has_validation;
        const whole = { name, colour: 6, x: all.map((_, row) => row), y: all, dashed };
        const upTo = shownEpoch === null ? rows : shownEpoch + 1;
        const part = { ...whole, x: whole.x.slice(0, upTo), y: all.slice(0, upTo) };
        const value = part.y[part.y.length - 1];
        const unit = curveOf === "error" ? " %" : "";
        if (!dashed && Number.isFinite(value)) part.end = `${shortNumber(value)}${unit}`;
        if (upTo < rows) curves.push({ ...whole, ghost: true });
        curves.push(part);
      }
      return curves;
    }

    function drawStatus() {
      const running = frame.runs.some((run) => ["training", "waiting"].includes(run.state));
      page.restart.textContent = running && !frame.done ? "Stop" : "Train again";
      root.dataset.points = points.y.length;
      root.dataset.epoch = shownEpoch ?? "end";
      if (frame.done) {
        page.status.textContent = frame.offline ? "" : `trained in ${shortNumber(frame.seconds)} s`;
      }
      if (points.y.length === 0) page.status.textContent = "no points: click to add some";
    }

    // ---- the film -----------------------------------------------------------------------------

    let film = null; // {epochs, slider}
    let timer = 0;

    function drawFilmControl() {
      if (!frame.done) return;
      const seen = new Set(frame.runs.flatMap((run) => run.film_epochs));
      const epochs = [...seen].sort((a, b) => a - b);
      if (film && String(film.epochs) === String(epochs)) return;
      const label = "epoch shown";
      film = { epochs, slider: slider({ label, choices: epochs, strict: true }, showEpoch) };
      page.film.replaceChildren(film.slider.element, page.play);
      page.film.hidden = epochs.length < 2;
      if (shownEpoch !== null && shownEpoch >= epochs[epochs.length - 1]) shownEpoch = null;
      film.slider.set(shownEpoch ?? epochs[epochs.length - 1]);
    }

    function showEpoch(epoch) {
      pause();
      goTo(epoch);
    }

    function goTo(epoch) {
      const last = film.epochs[film.epochs.length - 1];
      shownEpoch = epoch === last ? null : epoch;
      film.slider.set(epoch);
      drawAll();
    }

    function pause() {
      clearInterval(timer);
      timer = 0;
      page.play.textContent = "Play";
    }

    page.play.addEventListener("click", () => {
      if (timer) {
        pause();
        return;
      }
      const now = film.epochs.indexOf(shownEpoch);
      goTo(film.epochs[now < 0 ? 0 : now]);
      page.play.textContent = "Pause";
      timer = setInterval(() => {
        const next = film.epochs.find((epoch) => shownEpoch !== null && epoch > shownEpoch);
        if (next !== undefined) goTo(next);
        if (shownEpoch === null) pause();
      }, DB_FILM_MS);
    });

    // ---- first a guess ------------------------------------------------------------------------

    let stroke = null;

    function askForLines() {
      asked = { at: 0, lines: new Map(), ready: false };
      page.next.addEventListener("click", () => {
        asked.at += 1;
        if (asked.at < panels.length) sayWhatIsAsked();
        else reveal();
      });
      page.skip.addEventListener("click", reveal);
      page.predict.hidden = false;
      sayWhatIsAsked();
    }

    function sayWhatIsAsked() {
      const name = panels[asked.at]?.name ?? "the first network";
      page.asked.textContent = `Draw the line that you expect ${name} to find, then press `;
      page.next.textContent = asked.at + 1 < panels.length ? "Next" : "Train";
      page.next.disabled = !asked.lines.has(asked.at);
      panels.forEach((panel, i) => {
        panel.plane.element.classList.toggle("nn-drawable", i === asked.at);
      });
    }

    function reveal() {
      asked.ready = true;
      page.predict.hidden = true;
      panels.forEach((panel) => panel.plane.element.classList.remove("nn-drawable"));
      live.change({}); // trained now, under the reader's eyes
    }

    function beginGuess(event, panel) {
      if (!asked || asked.ready || panels.indexOf(panel) !== asked.at) return;
      event.preventDefault();
      panel.plane.element.setPointerCapture(event.pointerId);
      stroke = [panel.plane.at(event)];
      asked.lines.set(asked.at, stroke);
    }

    function drawGuess(event, panel) {
      if (!stroke) return false;
      stroke.push(panel.plane.at(event));
      drawPlanes();
      return true;
    }

    function endGuess() {
      if (!stroke) return;
      if (stroke.length < 2) asked.lines.delete(asked.at);
      stroke = null;
      sayWhatIsAsked();
    }

    // ---- buttons ------------------------------------------------------------------------------

    page.restart.addEventListener("click", () => {
      if (page.restart.textContent === "Stop") live.send({ kind: "stop" });
      else live.change({});
    });
    page.clear.addEventListener("click", () => {
      points = { x: [], y: [] };
      sendPoints();
    });
    const unfollow = followTheme(root, () => {
      colours = planeColours(root);
      drawAll();
    });
    const observer = new ResizeObserver(() => drawUnits());
    live.start();
    if (model.get("_predict")) {
      askForLines();
      drawAll();
    }
    observer.observe(page.panels);

    return () => {
      live.close();
      unfollow();
      pause();
      observer.disconnect();
      panels.forEach((panel) => panel.close());
      root.remove();
    };
  },
};

// The parts of the page and their places.
function layOutBoundary(root) {
  const controls = h("div", { class: "nn-controls" });
  const drawer = h("div", { class: "nn-controls" });
  const details = h("details", { class: "nn-drawer" }, h("summary", {}, "More settings"), drawer);
  const clicks = h("fieldset", { class: "nn-db-clicks" });
  const help = h("div", { class: "nn-quiet", id: freshId("help") }, DB_HELP);
  const restart = button("Train again", () => {});
  const clear = button("Clear points", () => {}, "take all points away, to set your own");
  const buttons = h("div", { class: "nn-buttons" }, restart, clear);
  const status = h("span", { class: "nn-quiet nn-status", role: "status" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const play = button("Play", () => {}, "see how the planes came about");
  const film = h("div", { class: "nn-db-film" });
  const asked = h("span", { role: "status" });
  const next = button("Next", () => {});
  const skip = button("Show me", () => {});
  const predict = h("div", { class: "nn-predict", hidden: true }, asked, next, skip);
  const panels = h("div", { class: "nn-db-panels" });
  const legend = h("div", { class: "nn-db-legend" });
  const side = h("div", { class: "nn-side" }, controls, clicks, buttons, status, error, details);
  const main = h("div", { class: "nn-main" }, predict, film, panels, legend, help);
  root.append(h("div", { class: "nn-columns" }, side, main));
  return {
    controls, drawer, details, clicks, help, restart, clear, buttons, status, error, play, film,
    asked, next, skip, predict, panels, legend,
  };
}

// A variant's plane, curve and hidden units.
function panelOf(name, helpId) {
  const readout = h("div", { class: "nn-readout nn-db-readout", "aria-live": "polite" });
  const words = `plane of ${name}: what the network says, and the points`;
  const attributes = { role: "application", "aria-label": words, "aria-describedby": helpId };
  // JupyterLab leaves keys alone that are pressed within.
  const one = plane({ ...attributes, "data-lm-suppress-shortcuts": "true" });
  const caption = h("figcaption", {}, name);
  const note = h("div", { class: "nn-note", role: "status" });
  const curve = chart({ title: "Error in %" });
  const layers = h("div", { class: "nn-db-layers" });
  const element = h(
    "figure", { class: "nn-db-panel" },
    caption, one.element, readout, note, curve.element, layers,
  );
  const panel = {
    name, element, plane: one, readout, caption, note, chart: curve, units: [], last: null,
    // Canvases for the units of each hidden layer: how many there are, how many are shown.
    setLayers(sizes, shown) {
      const wanted = JSON.stringify([sizes, shown]);
      if (layers.dataset.made === wanted) return;
      layers.dataset.made = wanted;
      panel.units = shown.map((k) => Array.from({ length: k }, () => h("canvas")));
      layers.replaceChildren(...panel.units.map((canvases, layer) => {
        const part = shown[layer] < sizes[layer] ? `, the first ${shown[layer]}` : "";
        const which = sizes.length > 1 ? ` ${layer + 1}` : "";
        const text = `hidden layer${which}: ${sizes[layer]} units${part}`;
        const image = { class: "nn-db-units", role: "img", "aria-label": `${text}, of ${name}` };
        return h("div", {}, h("div", { class: "nn-quiet" }, text), h("div", image, ...canvases));
      }));
    },
    close() {
      one.close();
      curve.close();
    },
  };
  return panel;
}

function glyphSign(label) {
  return h("span", { class: "nn-db-sign", "data-colour": label }, GLYPH_SIGNS[label]);
}

function legendOf(names) {
  const signs = names.flatMap((name, k) => [glyphSign(k), ` ${name}  `]);
  const line = "\u2014 where the likeliest class changes. Hidden units: ";
  return [...signs, line, swatch(0), " low, ", swatch(1), " high"];
}

function swatch(colour) {
  return h("span", { class: "nn-db-swatch", "data-colour": colour });
}

// The values that decide how high an axis goes: those before training count only where alone.
function highestOf(y) {
  const finite = Array.from(y).slice(y.length > 1 ? 1 : 0).filter(Number.isFinite);
  return finite.length ? [Math.max(...finite)] : [];
}

// What the kernel does for a file without one: the runs of the frames, one frame for each learning
// rate and seed, are put together as the settings ask for.
export function answer(frames, settings) {
  const [rates, seeds] = ["rate", "seed"].map((name) => (
    [...new Set(frames.map((frame) => frame[name]))].sort((a, b) => a - b)
  ));
  const frameAt = (rate) => {
    const found = frames.find((frame) => frame.rate === rate && frame.seed === settings.seed);
    if (!found) throw new RangeError(`no networks of rate ${rate} and seed ${settings.seed}`);
    return found;
  };
  const arrays = [];
  const keep = (array) => arrays.push(array) - 1;
  const chosen = frames[0].runs.map((run, i) => {
    const frame = frameAt(settings.learning_rate[run.variant]);
    keep(frame.arrays[i]); // curves come first
    return { frame, run: frame.runs[i] };
  });
  const runs = chosen.map(({ frame, run }) => {
    const take = (at) => keep(frame.arrays[at]);
    return { ...run, plane: take(run.plane), units: run.units.map(take), film: run.film.map(take) };
  });
  const points = frames[0].points.map((at) => keep(frames[0].arrays[at]));
  return { ...frames[0], settings, runs, points, arrays, limits: { rates, seeds } };
}
