// SoftmaxExplorer: weighted inputs to move, outputs as bars, the signs of the Jacobian.

import { button, checkbox, slider } from "./controls.js";
import { freshId, h } from "./dom.js";
import { connectPage } from "./live.js";
import { softmaxOffline } from "./softmax_offline.js";
import { followTheme } from "./theme.js";

const Z_RANGE = { min: -5, max: 5, step: 0.1 };
const C_RANGE = { min: 0, max: 20, step: 0.1 };
const FEWEST_OUTPUTS = 2;
const MOST_OUTPUTS = 8;

const INVITATION = "Move one z: its own output goes the same way, all the others go the other way.";
const MEANING_OF_C = "c multiplies every z. The larger it is, the nearer the outputs come to 1 for "
  + "the largest z and 0 for the rest: softmax is a softened maximum, hence its name. With c = 0 "
  + "all outputs are alike.";

export default {
  render({ model, el }) {
    const named = { role: "group", "aria-label": "Softmax" };
    const root = h("div", { class: "nn-widget nn-softmax", ...named });
    el.append(root);
    const page = softmaxLayout(root);
    let frame = null;
    let rows = [];
    let move = null; // {what, base}: what a hand moves (k or "c"), and the frame before it

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        if (rows.length !== frame.settings.z.length) buildRows();
      },
      follow: setControls,
      draw: drawAll,
    });

    const begin = (what) => {
      if (!move || move.what !== what) move = { what, base: frame };
    };

    const temperature = slider({ label: "factor c, in softmax(c z)", ...C_RANGE }, (c) => {
      begin("c");
      live.change({ temperature: c });
    });
    const sigmoid = checkbox({ label: "outputs of sigmoid for the same z" }, (on) => {
      live.change({ sigmoid: on });
    });
    const startAgain = button("Start values", () => {
      move = null;
      live.change({ z: [...frame.start], temperature: 1 });
    });
    const more = button("One output more", () => resize(1));
    const fewer = button("One less", () => resize(-1));
    page.temperature.append(temperature.element, h("p", { class: "nn-quiet" }, MEANING_OF_C));
    page.buttons.append(sigmoid.element, startAgain, more, fewer);

    function resize(by) {
      move = null;
      const z = rows.map((row) => row.slider.value());
      live.change({ z: by > 0 ? [...z, 0] : z.slice(0, by) });
    }

    function buildRows() {
      move = null;
      rows = frame.settings.z.map((_, k) => softmaxRow(k, () => {
        begin(k);
        live.change({ z: rows.map((row) => row.slider.value()) });
      }));
      page.rows.replaceChildren(...rows.map((row) => row.element));
      page.stack.replaceChildren(...rows.map((row) => row.segment));
      page.jacobian.setSize(rows.length);
      more.disabled = rows.length >= MOST_OUTPUTS;
      fewer.disabled = rows.length <= FEWEST_OUTPUTS;
    }

    function setControls(settings) {
      settings.z.forEach((value, k) => rows[k]?.slider.set(value));
      temperature.set(settings.temperature);
      sigmoid.set(settings.sigmoid);
    }

    function drawAll() {
      const [a, sigmoids, jacobian] = frame.arrays;
      rows.forEach((row, k) => {
        row.draw(a.data[k], frame.settings.sigmoid ? sigmoids.data[k] : null);
      });
      page.sum.textContent = `${rows.map((_, k) => `a${subscript(k)}`).join(" + ")} = `
        + frame.sum.toFixed(3);
      page.sigmoidSum.hidden = !frame.settings.sigmoid;
      const total = frame.sigmoid_sum.toFixed(3);
      page.sigmoidSum.textContent = `The outputs of sigmoid sum to ${total}: `
        + "each follows its own z alone, and they are no probabilities of classes.";
      page.story.textContent = storyOf(move, frame);
      page.jacobian.draw(jacobian, typeof move?.what === "number" ? move.what : null);
    }

    const unfollow = followTheme(root);
    live.start();

    return () => {
      live.close();
      unfollow();
      root.remove();
    };
  },
};

// The parts of the page and their places.
function softmaxLayout(root) {
  const rows = h("div", { class: "nn-softmax-rows" });
  const stack = h("div", { class: "nn-softmax-stack", "aria-hidden": "true" });
  const sum = h("p", { class: "nn-softmax-sum" });
  const sigmoidSum = h("p", { class: "nn-softmax-sigmoid-sum", hidden: true });
  const story = h("p", { class: "nn-softmax-story", role: "status" });
  const temperature = h("div", { class: "nn-softmax-temperature" });
  const buttons = h("div", { class: "nn-buttons" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const jacobian = jacobianTable();
  root.append(
    h(
      "div",
      { class: "nn-softmax-halves" },
      h("div", {}, rows, stack, sum, sigmoidSum, story),
      h("div", {}, jacobian.element, temperature),
    ),
    buttons,
    error,
  );
  return { rows, stack, sum, sigmoidSum, story, temperature, buttons, error, jacobian };
}

// A weighted input's slider and its outputs; draw(softmax, sigmoid or null).
function softmaxRow(k, onMove) {
  const name = subscript(k);
  const input = slider({ label: `weighted input z${name}`, ...Z_RANGE }, onMove);
  const softmax = outputBar(`a${name}`, 0);
  const sigmoid = outputBar(`σ${name}`, 1);
  const bars = h("div", { class: "nn-softmax-outputs" }, softmax.element, sigmoid.element);
  const segment = h("span", {}, `a${name}`);
  return {
    element: h("div", { class: "nn-softmax-row" }, input.element, bars),
    slider: input,
    segment,
    draw(a, other) {
      softmax.draw(a);
      sigmoid.element.hidden = other === null;
      if (other !== null) sigmoid.draw(other);
      segment.style.width = `${100 * a}%`;
      segment.textContent = a > 0.06 ? `a${name}` : "";
    },
  };
}

// A bar from 0 to 1 with its value to three decimals.
function outputBar(name, colour) {
  const bar = h("span", { class: "nn-softmax-bar" });
  const value = h("span", { class: "nn-softmax-value" });
  const track = h("span", { class: "nn-softmax-track" }, bar);
  const attributes = { class: "nn-softmax-output", "data-colour": colour };
  return {
    element: h("div", attributes, h("span", {}, `${name} =`), value, track),
    draw(a) {
      bar.style.width = `${100 * a}%`;
      value.textContent = a.toFixed(3);
      value.dataset.value = a;
    },
  };
}

// The Jacobian as a table: draw(array, moved), moved the column of the z that a hand moves.
function jacobianTable() {
  const captionId = freshId("jacobian");
  const table = h("table", { "aria-labelledby": captionId });
  const sub = (index) => h("sub", {}, index);
  const formula = h("span", { class: "nn-softmax-formula" });
  formula.append("∂a", sub("j"), " / ∂z", sub("k"), " = ");
  formula.append("c a", sub("j"), " (δ", sub("jk"), " − a", sub("k"), ")");
  const caption = h("p", { id: captionId, class: "nn-softmax-title" }, "The Jacobian: ", formula);
  const note = h("p", { class: "nn-quiet" }, "+ on the diagonal, − everywhere else. Every column "
    + "sums to 0: what one output gains, the others lose. Shade: size.");
  let cells = [];
  return {
    element: h("div", { class: "nn-softmax-jacobian" }, caption, table, note),
    setSize(n) {
      const all = Array.from({ length: n }, (_, k) => k);
      const head = h("tr", {}, h("td", {}), ...all.map((k) => (
        h("th", { scope: "col" }, `z${subscript(k)}`)
      )));
      cells = all.map(() => all.map(() => h("td", {})));
      table.replaceChildren(head, ...cells.map((row, j) => (
        h("tr", {}, h("th", { scope: "row" }, `a${subscript(j)}`), ...row)
      )));
    },
    draw({ data }, moved) {
      const largest = Math.max(...Array.from(data, Math.abs), 1e-300);
      cells.forEach((row, j) => row.forEach((cell, k) => {
        const value = data[j * row.length + k];
        cell.textContent = signed(value);
        cell.dataset.value = value;
        cell.dataset.colour = value > 0 ? 0 : 1;
        cell.style.setProperty("--nn-share", `${(55 * Math.abs(value)) / largest}%`);
        cell.classList.toggle("nn-softmax-moved", k === moved);
      }));
    },
  };
}

// What a hand has done, in words: move as above, the frame now.
function storyOf(move, frame) {
  if (!move) return INVITATION;
  const { what, base } = move;
  const [before, now] = [base.arrays[0].data, frame.arrays[0].data];
  const [from, to] = [base.settings, frame.settings];
  const alone = (k) => to.z.every((z, other) => other === k || z === from.z[other]);
  if (what === "c") {
    if (!alone(null) || to.temperature === from.temperature) return INVITATION;
    const k = now.indexOf(Math.max(...now));
    const rise = direction(to.temperature - from.temperature);
    return `c ${rise} from ${from.temperature} to ${to.temperature}: the largest output `
      + `${change(k, before, now)}.`;
  }
  if (!alone(what) || to.temperature !== from.temperature || to.z[what] === from.z[what]) {
    return INVITATION;
  }
  const others = Array.from(now.keys()).filter((k) => k !== what);
  const against = (k) => (now[k] - before[k]) * (now[what] - before[what]) < 0;
  const opposite = direction(from.z[what] - to.z[what]);
  const rest = others.every(against) ? `every other output ${opposite}`
    : `no other output ${direction(to.z[what] - from.z[what])}`; // some are 0 or too near
  const places = `${from.z[what].toFixed(1)} to ${to.z[what].toFixed(1)}`;
  return `z${subscript(what)} ${direction(to.z[what] - from.z[what])} from ${places}: `
    + `${change(what, before, now)}, ${rest}.`;
}

function change(k, before, now) {
  if (now[k] === before[k]) return `a${subscript(k)} stays at ${now[k].toFixed(3)}`;
  const places = `${before[k].toFixed(3)} to ${now[k].toFixed(3)}`;
  return `a${subscript(k)} ${direction(now[k] - before[k])} from ${places}`;
}

function direction(difference) {
  return difference > 0 ? "rises" : "falls";
}

// The number of the k-th, from 1, as an index.
function subscript(k) {
  return "₁₂₃₄₅₆₇₈"[k];
}

// With a sign, which stays where three decimals have no more to tell: +0.233, −0.000, 0.
function signed(value) {
  if (value === 0) return "0";
  return `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(3)}`;
}

// What the kernel does for a file without one.
export function answer(frames, settings) {
  const within = (value, { min, max }) => Math.min(Math.max(value, min), max);
  const z = settings.z.map((value) => within(value, Z_RANGE));
  const temperature = within(settings.temperature, C_RANGE);
  const arrays = softmaxOffline(z, temperature);
  const [sum, other] = arrays.slice(0, 2).map(({ data }) => data.reduce((a, b) => a + b, 0));
  const answered = { ...settings, z, temperature };
  return { ...frames[0], settings: answered, sum, sigmoid_sum: other, arrays };
}
