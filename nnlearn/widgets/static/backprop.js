// Backprop: one sample goes through a small network, forward and back, number by number. The kernel
// sends all numbers of a pass; the page shows as many as the pass has come to.

import { passGraph } from "./backprop_graph.js";
import { equationsOf, stepName, workedLine } from "./backprop_words.js";
import { chart, niceCeiling } from "./chart.js";
import { button, select, shortNumber, slider } from "./controls.js";
import { fourDigits, lowered } from "./digits.js";
import { freshId, h } from "./dom.js";
import { connectPage } from "./live.js";
import { followTheme } from "./theme.js";

const PASS_COSTS = [
  ["quadratic", "quadratic"],
  ["cross_entropy", "cross-entropy"],
  ["log_likelihood", "log-likelihood"],
];
const SECONDS_A_STEP = 1.6;

export default {
  render({ model, el }) {
    const name = { role: "group", "aria-label": "Backpropagation, number by number" };
    const root = h("div", {
      class: "nn-widget nn-pass",
      ...name,
      "data-lm-suppress-shortcuts": "true", // JupyterLab's arrows move between cells
    });
    el.append(root);
    let frame = null;
    let step = 0;
    let unit = { layer: 0, index: 0 }; // whose numbers are written out
    let timer = 0; // of playing
    const page = layOutPass(root, (chosen) => {
      unit = chosen;
      draw();
    });
    const controls = passControls(page.controls, (settings) => live.change(settings));

    const live = connectPage(model, root, page.error, {
      take(next) {
        frame = next;
        controls.build(frame);
        root.dataset.arrived = frame.settings.step; // at the kernel, and back
      },
      follow(settings) {
        controls.set(settings);
        step = settings.step;
      },
      draw,
    });

    // ---- steps --------------------------------------------------------------------------------

    const last = () => frame.steps.length - 1;
    const goTo = (next) => {
      step = Math.min(Math.max(next, 0), last());
      draw();
      live.change({ step });
    };
    const forward = () => {
      if (step < last()) goTo(step + 1);
      else if (canAgain()) live.change({ taken: frame.settings.taken + 1, step: 0 });
    };
    const back = () => {
      if (step > 0) goTo(step - 1);
      else if (frame.settings.taken > 0) {
        live.change({ taken: frame.settings.taken - 1, step: last() });
      }
    };
    // Whether a pass with the new weights can follow.
    const canAgain = () => frame.settings.taken < frame.limits.taken && frame.losses.length > 1
      && frame.losses.every((loss) => loss !== null);

    const stop = () => {
      clearTimeout(timer);
      timer = 0;
      page.play.textContent = "Play";
    };
    const play = () => {
      if (step >= last()) {
        stop();
        return;
      }
      goTo(step + 1);
      timer = setTimeout(play, 1000 * SECONDS_A_STEP);
      page.play.textContent = "Pause";
    };
    const byHand = (move) => () => {
      stop();
      move();
    };
    page.back.addEventListener("click", byHand(back));
    page.forward.addEventListener("click", byHand(forward));
    page.again.addEventListener("click", byHand(() => live.change({ taken: 0, step: 0 })));
    page.range.addEventListener("input", byHand(() => goTo(Number(page.range.value))));
    page.play.addEventListener("click", () => {
      if (timer) stop();
      else {
        if (step >= last()) goTo(0);
        play();
      }
    });
    root.addEventListener("keydown", (event) => {
      const moves = { ArrowRight: forward, ArrowLeft: back };
      const own = event.target.closest("input, select, textarea, .nn-chart");
      if (!(event.key in moves) || own || !frame) return;
      event.preventDefault();
      event.stopPropagation(); // a notebook moves between cells by arrows
      stop();
      moves[event.key]();
    });

    // ---- pictures -----------------------------------------------------------------------------

    function draw() {
      if (!frame) return;
      const { settings, steps } = frame;
      root.dataset.step = step;
      page.range.max = last();
      page.range.value = step;
      page.range.setAttribute("aria-valuetext", stepName(steps[step]));
      const pass = settings.taken ? `pass ${settings.taken + 1}, ` : "";
      page.told.textContent = `${pass}step ${step} of ${last()}: ${stepName(steps[step])}`;
      page.back.disabled = step === 0 && settings.taken === 0;
      page.again.disabled = settings.taken === 0 && step === 0;
      page.forward.disabled = step === last() && !canAgain();
      page.forward.textContent = step === last() - 1 ? "Take the step ▸"
        : step === last() ? "Next pass ▸" : "Forward ▸";
      const worked = page.graph.draw(frame, step, unit);
      const equations = equationsOf(frame);
      const [kind] = steps[step].split(".");
      const lit = equations.find((one) => one.kind === kind)
        ?? { text: "a = x", note: "The sample's inputs enter the network." };
      const number = kind.startsWith("BP") ? h("b", {}, `${kind}  `) : null;
      page.lit.replaceChildren(
        h("div", { class: "nn-pass-equation" }, number, lit.text),
        h("div", {}, lit.note),
        h("div", { class: "nn-pass-worked" }, ...workedLine(frame, step, worked)),
      );
      page.lit.dataset.direction = directionOf(kind);
      page.lit.setAttribute("aria-live", timer ? "off" : "polite");
      page.equations.replaceChildren(...equations.map((one) => {
        const now = one.kind === kind ? "step" : null;
        const state = { "aria-current": now, "data-direction": directionOf(one.kind) };
        return h("li", state, h("b", {}, one.title), h("span", {}, one.text));
      }));
      drawLosses();
    }

    function drawLosses() {
      const come = Number(step >= frame.steps.indexOf("cost")) + Number(step === last());
      const shown = frame.losses.slice(0, frame.settings.taken + come);
      const y = shown.map((loss) => loss ?? NaN);
      const x = y.map((_, k) => k);
      const now = y[y.length - 1];
      const end = Number.isFinite(now) ? `C ${fourDigits(now)}` : null;
      const yMax = niceCeiling(Math.max(frame.losses[0], ...y.filter(Number.isFinite)));
      page.losses.draw(
        [{ name: "C", colour: 2, x, y, end }],
        { xMax: Math.max(5, x.length - 1), yMax },
      );
      const broken = y.some((loss) => !Number.isFinite(loss));
      const rate = shortNumber(frame.settings.learning_rate);
      page.losses.setNote(broken ? `The numbers overflow at learning rate ${rate}.` : "");
    }

    const unfollow = followTheme(root);
    const observer = new ResizeObserver(() => draw());
    observer.observe(page.graph.element);
    live.start();

    return () => {
      stop();
      live.close();
      unfollow();
      observer.disconnect();
      page.losses.close();
      root.remove();
    };
  },
};

// "forward", "back" or "step": what a step's colour says, beside its words.
export function directionOf(kind) {
  if (kind === "step") return "step";
  return kind.startsWith("BP") ? "back" : "forward";
}

// Sliders for the sample, and the choices. build(frame): where what can be set has changed.
function passControls(place, change) {
  let built = "";
  let controls = {};

  const anew = (settings) => change({ ...settings, taken: 0 }); // the kernel does so too
  const numbers = (name, label, values, ends) => values.map((_, i) => slider(
    { label: `${label}${lowered(i + 1)}`, ...ends, step: 0.05 },
    () => anew({ [name]: controls[name].map((one) => one.value()) }),
  ));

  const build = (frame) => {
    const { settings, layers, offline } = frame;
    const output = layers[layers.length - 1].activation;
    const key = JSON.stringify([output, offline, settings.cost === "log_likelihood"]);
    if (key === built) return;
    built = key;
    const bounds = { sigmoid: [0, 1], softmax: [0, 1], tanh: [-1, 1] };
    const far = (values, least) => Math.max(least, Math.ceil(Math.max(...values.map(Math.abs))));
    const [farX, farY] = [far(settings.x, 1), far(settings.y, 2)];
    const [least, most] = bounds[output] ?? [-farY, farY];
    const labels = settings.y.map((_, i) => [i, `output ${i + 1}`]);
    const sigmoids = frame.activations.map((one) => [one, one ?? "as given"]);
    controls = {
      cost: select(
        { label: "cost C", options: PASS_COSTS.filter(([cost]) => frame.costs.includes(cost)) },
        (cost) => anew({ cost }),
      ),
      activation: select(
        { label: "activation f of hidden layers", options: sigmoids },
        (activation) => anew({ activation }),
      ),
      learning_rate: slider(
        { label: "learning rate η", min: 0.01, max: 100, scale: "log" },
        (learning_rate) => change({ learning_rate }),
      ),
      x: numbers("x", "input x", settings.x, { min: -farX, max: farX }),
      y: settings.cost === "log_likelihood" ? [] // its targets sum to 1: a label instead
        : numbers("y", "target y", settings.y, { min: least, max: most }),
      label: select({ label: "target", options: labels }, (label) => anew({
        y: settings.y.map((_, i) => Number(i === Number(label))),
      })),
    };
    const chosen = [controls.cost, ...(layers.length > 1 ? [controls.activation] : [])];
    if (!offline) {
      chosen.push(controls.learning_rate, ...controls.x);
      chosen.push(...(controls.y.length ? controls.y : [controls.label]));
    }
    place.replaceChildren(...chosen.map((one) => one.element));
  };

  const set = (settings) => {
    for (const name of ["cost", "activation", "learning_rate"]) controls[name].set(settings[name]);
    for (const name of ["x", "y"]) controls[name].forEach((one, i) => one.set(settings[name][i]));
    controls.label.set(settings.y.indexOf(Math.max(...settings.y)));
  };
  return { build, set };
}

function layOutPass(root, onUnit) {
  const back = button("◂ Back", () => {}, "left arrow");
  const forward = button("Forward ▸", () => {}, "right arrow");
  forward.classList.add("nn-pass-forward");
  const play = button("Play", () => {});
  const again = button("Start weights", () => {}, "back to the first pass");
  const id = freshId("step");
  const range = h("input", { id, type: "range", min: 0, max: 1, step: 1, value: 0 });
  range.addEventListener("keydown", (event) => event.stopPropagation()); // not a notebook's key
  const told = h("output", { class: "nn-pass-told", for: id });
  const label = h("label", { for: id }, "step");
  const bar = h("div", { class: "nn-pass-bar" }, back, forward, play, again, label, range, told);
  const lit = h("div", { class: "nn-pass-lit", "aria-live": "polite" });
  const picture = passGraph(onUnit);
  const named = { "aria-label": "the equations in their order" };
  const equations = h("ol", { class: "nn-pass-equations", ...named });
  const losses = chart({ title: "Cost by gradient steps taken", xName: "steps taken" });
  const controls = h("div", { class: "nn-controls" });
  const error = h("div", { class: "nn-error", role: "alert" });
  const side = h("div", { class: "nn-side" }, controls, error);
  const below = h("div", { class: "nn-pass-below" }, equations, losses.element);
  const main = h("div", { class: "nn-main" }, bar, lit, picture.element, below);
  root.append(h("div", { class: "nn-columns" }, side, main));
  const buttons = { back, forward, play, again };
  return { ...buttons, range, told, lit, graph: picture, equations, losses, controls, error };
}

// What the kernel does for a file without one: the frame with these functions and steps taken.
export function answer(frames, settings) {
  const same = frames.filter((frame) => frame.settings.cost === settings.cost
    && frame.settings.activation === settings.activation);
  const frame = same[Math.min(settings.taken, same.length - 1)];
  return { ...frame, settings: { ...frame.settings, step: settings.step } };
}
