// InitialisationExplorer: histograms of z, activation and gradient by layer, before any training.

import { ticksBetween } from "./chart.js";
import { checkbox, select, shortNumber, slider } from "./controls.js";
import { powerOfTen } from "./digits.js";
import { h, svg } from "./dom.js";
import { connectPage } from "./live.js";
import { followTheme } from "./theme.js";

const START_WIDTHS = [1, 2, 5, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 400, 500];
const START_NETWORKS = [1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 64];
const START_SAMPLES = [1, 2, 5, 10, 20, 40, 60, 100];
const START_ACTIVATIONS = ["sigmoid", "tanh", "relu", "linear"];
const START_COSTS = [
  ["cross_entropy", "cross-entropy"],
  ["quadratic", "quadratic"],
  ["log_likelihood", "log-likelihood (softmax)"],
];
const INPUT_NAMES = {
  digits: "digits",
  data: "the data given",
  normal: "1,000 normal numbers",
  book: "1,000 inputs, half of them 1",
};
const A_NUMBER = "number";

// What the three columns show: their title, colour and kind of axis.
const HISTOGRAM_COLUMNS = [
  { title: "Weighted inputs z", colour: 0, log: false },
  { title: "Activations a", colour: 2, log: false },
  { title: "Size of the gradient, |δ|", colour: 1, log: true },
];

const HISTOGRAM_MARGIN = { left: 4, right: 4, top: 16, bottom: 17 };
const BAR_HEIGHT = 21;
const BAR_LABEL = 62;

export default {
  render({ model, el }) {
    const label = "How a network starts";
    const root = h("div", { class: "nn-widget nn-start", role: "group", "aria-label": label });
    el.append(root);
    const page = startLayout(root);
    let frame = null;
    let controls = null;
    let number = 0.1; // the standard deviation that the slider has, when it is in use

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        if (!controls) buildControls();
      },
      follow: setControls,
      draw: drawAll,
    });

    function buildControls() {
      const set = (name) => (value) => live.change({ [name]: value });
      const widths = frame.limits?.widths ?? START_WIDTHS;
      const strict = Boolean(frame.limits); // a file has these and no others
      const depths = strict ? { choices: frame.limits.depths, strict } : { min: 1, max: 6 };
      const { inputs, init } = frame.choices;
      const numbers = frame.limits ? frame.limits.numbers : [[A_NUMBER, "N(0, s²), s a number"]];
      controls = {
        inputs: select({
          label: "inputs",
          options: inputs.map((name) => [name, INPUT_NAMES[name]]),
        }, set("inputs")),
        width: slider({ label: "units in a hidden layer", choices: widths, strict }, set("width")),
        depth: slider({ label: "hidden layers", ...depths }, set("depth")),
        init: select({ label: "initialisation", options: [...init, ...numbers] }, (name) => {
          live.change({ init: name === A_NUMBER ? number : name });
        }),
        number: slider({ label: "s", min: 0.001, max: 10, scale: "log0" }, (value) => {
          number = value;
          live.change({ init: value });
        }),
        activation: select({ label: "activation", options: START_ACTIVATIONS }, set("activation")),
        cost: select({ label: "cost", options: START_COSTS }, set("cost")),
        seeds: slider({ label: "networks", choices: START_NETWORKS }, set("seeds")),
        samples: slider({ label: "inputs to each", choices: START_SAMPLES }, set("samples")),
        one_axis: checkbox({ label: "one axis of z for all layers" }, set("one_axis")),
      };
      const inSight = ["width", "depth", "init", "number", "activation"];
      if (!frame.offline) inSight.unshift("inputs");
      const inDrawer = ["cost", "seeds", "samples", "one_axis"];
      page.controls.replaceChildren(...inSight.map((name) => controls[name].element));
      page.drawer.replaceChildren(...inDrawer.map((name) => controls[name].element));
      page.details.hidden = Boolean(frame.offline);
    }

    function setControls(settings) {
      for (const [name, control] of Object.entries(controls)) {
        if (name in settings) control.set(settings[name]);
      }
      controls.seeds.set(settings.seeds ?? frame.n_networks);
      const isNumber = typeof settings.init === "number";
      if (isNumber) number = settings.init;
      if (!frame.offline) controls.init.set(isNumber ? A_NUMBER : settings.init);
      controls.number.set(number);
      controls.number.element.hidden = !isNumber || Boolean(frame.offline);
    }

    function drawAll() {
      if (!frame) return;
      page.words.replaceChildren(...frame.words.map((sentence) => h("p", {}, sentence)));
      page.formula.textContent = frame.formula;
      const relu = frame.layers[0].activation === "relu";
      page.stuck.draw(frame.layers.map((layer) => {
        const share = layer.activation === "relu" ? layer.zero : layer.saturated;
        return { name: layer.name, value: 100 * share, text: percent(share) };
      }), { low: 0, high: 100, title: relu ? STUCK_RELU : STUCK });
      page.gradient.draw(...gradientBars(frame.layers));
      page.grid.draw(frame);
      const { n_networks, n_samples, n_inputs } = frame;
      const counted = `${n_networks} networks, ${n_samples} inputs of ${n_inputs} numbers`;
      page.status.textContent = frame.done && !frame.offline
        ? `${counted}; ${Math.round(1000 * frame.seconds)} ms` : counted;
    }

    const unfollow = followTheme(root);
    const observer = new ResizeObserver(drawAll);
    observer.observe(page.main);
    live.start();

    return () => {
      live.close();
      observer.disconnect();
      unfollow();
      root.remove();
    };
  },
};

const STUCK = "Saturated units, in %";
const STUCK_RELU = "Activations at 0, in % (outputs: saturated)";

// The parts of the page and their places.
function startLayout(root) {
  const controls = h("div", { class: "nn-controls" });
  const drawer = h("div", { class: "nn-controls" });
  const details = h("details", { class: "nn-drawer" }, h("summary", {}, "More settings"), drawer);
  const status = h("span", { class: "nn-quiet nn-status" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const words = h("div", { class: "nn-start-words", role: "status" });
  const formula = h("span", { class: "nn-start-formula" });
  const legend = svg("svg", { width: 26, height: 10, "aria-hidden": "true" });
  legend.append(svg("line", { x1: 0, x2: 26, y1: 5, y2: 5, class: "nn-start-theory" }));
  const theory = h("p", { class: "nn-start-legend" }, legend, " theory for layer 1: ", formula);
  const stuck = barPanel(STUCK, 3);
  const gradient = barPanel("Mean |δ|, on a logarithmic axis", 1);
  const grid = histogramGrid();
  const bars = h("div", { class: "nn-row" }, stuck.element, gradient.element);
  const side = h("div", { class: "nn-side" }, controls, status, error, details);
  const main = h("div", { class: "nn-main" }, words, bars, theory, grid.element);
  root.append(h("div", { class: "nn-columns" }, side, main));
  return { controls, drawer, details, status, error, words, formula, stuck, gradient, grid, main };
}

// Horizontal bars, one for each layer: draw([{name, value, text}], {low, high, title, ticks}),
// value in the units of low and high; ticks: [[value, text]], by itself from low to high.
function barPanel(firstTitle, colour) {
  const caption = h("figcaption", {}, firstTitle);
  const plot = svg("svg", { class: "nn-start-bars", role: "img", "data-colour": colour });
  return {
    element: h("figure", { class: "nn-chart" }, caption, plot),
    draw(rows, { low, high, title = firstTitle, ticks = null }) {
      caption.textContent = title;
      const width = Math.max(plot.clientWidth, 160);
      const bottom = rows.length * BAR_HEIGHT + 2;
      const right = width - 70; // values stand behind their bars
      const x = (value) => BAR_LABEL + ((right - BAR_LABEL) * (value - low)) / (high - low);
      plot.setAttribute("viewBox", `0 0 ${width} ${bottom + 20}`);
      plot.style.height = `${bottom + 20}px`;
      const told = rows.map(({ name, text }) => `${name} ${text}`).join(", ");
      plot.setAttribute("aria-label", `${title}: ${told}`);
      const marks = ticks ?? ticksBetween(low, high, 4).map((tick) => [tick, shortNumber(tick)]);
      plot.replaceChildren(
        ...marks.flatMap(([tick, text]) => [
          svg("line", { x1: x(tick), x2: x(tick), y1: 0, y2: bottom + 3, class: "nn-grid" }),
          svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, text),
        ]),
        ...rows.flatMap(({ name, value, text }, i) => {
          const y = i * BAR_HEIGHT + 3;
          const length = Math.max(x(value) - BAR_LABEL, 0);
          return [
            svg("text", { x: BAR_LABEL - 6, y: y + 12, "text-anchor": "end" }, name),
            svg("rect", { x: BAR_LABEL, y, width: length, height: BAR_HEIGHT - 6 }),
            svg("text", { x: BAR_LABEL + length + 5, y: y + 12, class: "nn-start-value" }, text),
          ];
        }),
      );
    },
  };
}

// Rows and axis of the panel of mean |delta|: whole powers of ten around what there is.
function gradientBars(layers) {
  const logs = layers.map((layer) => Math.log10(layer.mean_delta)).filter(Number.isFinite);
  const high = Math.ceil(Math.max(-1, ...logs) - 1e-9);
  const low = Math.floor(Math.min(high - 2, ...logs.map((value) => value - 0.1)));
  const step = Math.ceil((high - low) / 6);
  const ticks = [];
  for (let power = high; power >= low; power -= step) ticks.push([power, powerOfTen(power)]);
  const rows = layers.map(({ name, mean_delta }) => ({
    name,
    value: mean_delta > 0 ? Math.log10(mean_delta) : low,
    text: mean_delta === 0 ? "0" : scientific(mean_delta),
  }));
  return [rows, { low, high, ticks }];
}

// The histograms: a row for each layer, a column for each quantity.
function histogramGrid() {
  const element = h("div", { class: "nn-start-grid" });
  const heads = HISTOGRAM_COLUMNS.map(({ title, colour }) => (
    h("div", { class: "nn-start-column", "data-colour": colour }, title)
  ));
  let cells = []; // by layer: {head, plots}
  return {
    element,
    draw(frame) {
      if (cells.length !== frame.layers.length) {
        cells = frame.layers.map(() => ({
          head: h("div", { class: "nn-start-layer" }),
          plots: HISTOGRAM_COLUMNS.map(({ colour }) => svg("svg", {
            class: "nn-start-histogram", role: "img", "data-colour": colour,
          })),
        }));
        element.replaceChildren(...heads, ...cells.flatMap(({ head, plots }) => [head, ...plots]));
      }
      const own = frame.own_axes ? " (an axis for each layer)" : "";
      heads[0].textContent = `${HISTOGRAM_COLUMNS[0].title}${own}`;
      const [ends, theory] = frame.arrays.slice(-2);
      frame.layers.forEach((layer, i) => {
        cells[i].head.textContent = `${layer.name}: ${layer.units} ${layer.activation}`;
        cells[i].plots.forEach((plot, q) => {
          const at = q * frame.layers.length + i;
          drawHistogram(plot, {
            counts: frame.arrays[at].data,
            low: ends.data[2 * at],
            high: ends.data[2 * at + 1],
            log: HISTOGRAM_COLUMNS[q].log,
            note: noteOf(layer, q),
            name: `${HISTOGRAM_COLUMNS[q].title}, ${layer.name}`,
            theory: q === 0 && i === 0 && theory.shape[1] > 0 ? theory : null,
            beyond: q === 0 && i < frame.layers.length - 1 ? frame.saturated_beyond : null,
          });
        });
      });
    },
  };
}

// What stands in a histogram's corner.
function noteOf(layer, q) {
  if (q === 0) return `sd ${scientific(layer.sd.z)}`;
  if (q === 1 && layer.activation === "relu") return `${percent(layer.zero)} are 0`;
  if (q === 1) return `sd ${scientific(layer.sd.a)}`;
  if (layer.without_delta === 1) return "all are 0";
  const mean = `mean ${scientific(layer.mean_delta)}`;
  return layer.without_delta > 0.0005
    ? `${mean}; ${percent(layer.without_delta)} are 0` : mean;
}

// One histogram. low, high: borders of the first and last bin (their size, on a log axis); theory:
// rows of z and expected counts; beyond: where saturation begins, on both sides of 0.
function drawHistogram(plot, { counts, low, high, log, note, name, theory, beyond }) {
  const width = Math.max(plot.clientWidth, 120);
  const height = Math.max(plot.clientHeight, 80);
  const { left, right, top, bottom } = HISTOGRAM_MARGIN;
  const ground = height - bottom;
  const from = log ? Math.log10(low) : low;
  const to = log ? Math.log10(high) : high;
  const x = (value) => left + ((width - left - right) * (value - from)) / (to - from);
  const expected = theory ? theory.data.subarray(theory.shape[1]) : [];
  const ordered = Array.from(counts).sort((a, b) => b - a);
  // One bin far above the rest (units at 0) is cut off, so that the rest can be seen.
  const cut = ordered[1] > 0 && ordered[0] > 4 * ordered[1];
  const tallest = cut ? 1.4 * ordered[1] : ordered[0];
  const end = Math.max(tallest, ...expected, 1);
  const y = (count) => ground - (ground - top) * Math.min(count / end, 1);
  const parts = [];
  if (beyond !== null && beyond !== undefined && beyond < high) {
    for (const [a, b, border] of [[low, -beyond, -beyond], [beyond, high, beyond]]) {
      const box = { x: x(a), y: top, width: x(b) - x(a), height: ground - top };
      const line = { x1: x(border), x2: x(border), y1: top, y2: ground };
      parts.push(svg("rect", { ...box, class: "nn-start-beyond" }));
      parts.push(svg("line", { ...line, class: "nn-start-border" }));
    }
    if (x(high) - x(beyond) > 60) {
      parts.push(svg("text", { x: x(low) + 3, y: top + 12, class: "nn-start-value" }, "saturated"));
    }
  }
  const step = (x(to) - x(from)) / counts.length;
  let d = `M${x(from).toFixed(1)} ${ground}`;
  counts.forEach((count, bin) => {
    const a = x(from) + bin * step;
    d += `V${y(count).toFixed(1)}H${(a + step).toFixed(1)}`;
  });
  parts.push(svg("path", { d: `${d}V${ground}Z`, class: "nn-start-area" }));
  if (theory) {
    let line = "";
    expected.forEach((count, k) => {
      line += `${k ? "L" : "M"}${x(theory.data[k]).toFixed(1)} ${y(count).toFixed(1)}`;
    });
    parts.push(svg("path", { d: line, class: "nn-start-theory" }));
  }
  if (cut) {
    const bin = counts.indexOf(ordered[0]);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const place = x(from) + (bin + 0.5) * step;
    const after = place < width / 2;
    const side = after ? { x: place + step + 3, "text-anchor": "start" }
      : { x: place - step - 3, "text-anchor": "end" };
    const share = `↑ ${percent(ordered[0] / total)}`;
    parts.push(svg("text", { ...side, y: top + 12, class: "nn-start-value" }, share));
  }
  const corner = { x: width - right, y: 11, "text-anchor": "end", class: "nn-start-value" };
  parts.push(
    svg("line", { x1: left, x2: width - right, y1: ground, y2: ground, class: "nn-base" }),
    svg("text", corner, note),
  );
  for (const tick of histogramTicks(from, to, log, width)) {
    const at = x(tick);
    const anchor = at < left + 12 ? "start" : at > width - right - 12 ? "end" : "middle";
    parts.push(svg("line", { x1: at, x2: at, y1: ground, y2: ground + 3, class: "nn-base" }));
    const text = log ? powerOfTen(tick) : scientific(tick);
    parts.push(svg("text", { x: at, y: ground + 14, "text-anchor": anchor }, text));
  }
  plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
  plot.setAttribute("aria-label", `${name}: ${note}`);
  plot.replaceChildren(...parts);
}

function histogramTicks(from, to, log, width) {
  const n = width > 240 ? 6 : 4;
  if (!log) {
    const ticks = ticksBetween(from, to, n - 1);
    return ticks.length > 2 ? ticks : [from, (from + to) / 2, to];
  }
  const [first, last] = [Math.round(from), Math.round(to)]; // both are whole powers
  const step = Math.ceil((last - first) / n);
  const ticks = [];
  for (let power = last; power >= first; power -= step) ticks.push(power);
  return ticks;
}

// Two digits: 0.013, 120, 4.1·10⁻⁵, 2·10⁵.
function scientific(value) {
  const size = Math.abs(value);
  if (size === 0 || (size >= 0.001 && size < 10000)) return String(Number(value.toPrecision(2)));
  const [digits, power] = value.toExponential(1).split("e");
  return `${Number(digits)}·${powerOfTen(Number(power))}`;
}

// A share in percent: 61 %, 0.023 %.
function percent(share) {
  return `${Number((100 * share).toPrecision(2))} %`;
}

// What the kernel does for a file without one: the picture with these settings.
export function answer(frames, settings) {
  const all = (name) => [...new Set(frames.map((frame) => frame.settings[name]))];
  const [widths, depths] = ["width", "depth"].map((name) => all(name).sort((a, b) => a - b));
  const asked = ["width", "depth", "init", "activation"];
  const found = frames.find((one) => asked.every((name) => one.settings[name] === settings[name]));
  const numbers = all("init").filter((init) => typeof init === "number")
    .map((init) => [init, `N(0, ${shortNumber(init)}²)`]);
  return { ...(found ?? frames[0]), limits: { widths, depths, numbers } };
}
