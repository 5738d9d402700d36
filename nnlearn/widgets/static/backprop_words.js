// The words and equations of Backprop: nothing is computed here, numbers are only put into places.

import { plainDigits } from "./digits.js";
import { h } from "./dom.js";

const COST_FORMULAS = {
  quadratic: "C = ½ Σ (a − y)²",
  cross_entropy: "C = −Σ [y ln a + (1 − y) ln(1 − a)]",
  log_likelihood: "C = −Σ y ln a",
};

const PASS_NOTES = {
  z: "Each unit adds what comes in, times its weights, to its bias.",
  a: "Each unit sends f(z) on.",
  cost: "The cost says how far the outputs are from the targets.",
  BP1: "δ = ∂C/∂z: how much the cost changes with each output unit's z.",
  BP2: "The errors δ⁺ of the next layer go back along its weights W⁺.",
  BP3: "A unit's error is the gradient of its bias.",
  BP4: "The gradient of a weight: what comes in, times the error at its end.",
  step: "Gradient descent: a step against the gradient.",
};

// {kind, title, text, note} of each equation of a pass, in their order.
export function equationsOf(frame) {
  const hidden = frame.layers.slice(0, -1).map((layer) => layer.activation);
  const output = frame.layers[frame.layers.length - 1].activation;
  const names = [...new Set([...hidden, output])].join(", ");
  const formulas = {
    z: "z = a W + b",
    a: `a = f(z),  f = ${names}`,
    cost: COST_FORMULAS[frame.settings.cost],
    BP1: firstError(frame),
    BP2: "δ = δ⁺ (W⁺)ᵀ ⊙ f′(z)",
    BP3: "∂C/∂b = δ",
    BP4: "∂C/∂W = aᵀ δ",
    step: "W ← W − η ∂C/∂W,  b ← b − η ∂C/∂b",
  };
  return Object.entries(formulas)
    .filter(([kind]) => kind !== "BP2" || frame.layers.length > 1)
    .map(([kind, text]) => ({
      kind, text, title: kind === "cost" ? "C" : kind, note: PASS_NOTES[kind],
    }));
}

// BP1 for the cost and the outputs at hand.
function firstError(frame) {
  const output = frame.layers[frame.layers.length - 1].activation;
  if (frame.settings.cost !== "quadratic") return "δ = ∂C/∂a ⊙ f′(z) = a − y";
  return output === "softmax" ? "δ = ∂C/∂a ∂a/∂z" : "δ = ∂C/∂a ⊙ f′(z) = (a − y) ⊙ f′(z)";
}

// What a step is called: "z of layer 1".
export function stepName(step) {
  const [kind, layer] = step.split(".");
  const names = {
    inputs: "the inputs",
    z: "weighted inputs z",
    a: "activations a",
    cost: "the cost C",
    BP1: "BP1, errors δ of the outputs",
    BP2: "BP2, errors δ",
    BP3: "BP3, gradients of the biases",
    BP4: "BP4, gradients of the weights",
    step: "the step is taken",
  };
  return names[kind] + (layer ? ` of layer ${layer}` : "");
}

// The equation with a unit's numbers: texts and elements. worked: {layer, index}.
export function workedLine(frame, step, { layer, index }) {
  const [kind] = frame.steps[step].split(".");
  const { layers, settings } = frame;
  if (kind === "inputs") {
    const listed = (values) => `(${values.map(plainDigits).join(", ")})`;
    return [`x = ${listed(settings.x)}; the outputs should be y = ${listed(settings.y)}.`];
  }
  const of = {
    frame,
    settings,
    here: layers[layer],
    next: layers[layer + 1],
    into: layer === 0 ? settings.x : layers[layer - 1].a,
    j: index,
  };
  const [text, result] = WORKED_LINES[kind](of);
  const who = kind === "cost" ? "" : `Unit ${index + 1} of layer ${layer + 1}: `;
  const told = kind === "step" ? [lossMoved(frame)] : [];
  const end = result === undefined ? [] : [" = ", strongText(plainDigits(result))];
  return [...told, who, text, ...end];
}

// A number behind a sign: a negative one in brackets.
function inBrackets(value) {
  return value < 0 ? `(${plainDigits(value)})` : plainDigits(value);
}

function productOf(a, b) {
  return `${plainDigits(a)} · ${inBrackets(b)}`;
}

// For each kind of step the right-hand side in numbers, and what it comes to.
const WORKED_LINES = {
  z({ here, into, j }) {
    const terms = into.map((x, i) => productOf(x, here.W[i][j]));
    return [`z = ${terms.join(" + ")} + ${inBrackets(here.b[j])}`, here.z[j]];
  },
  a({ here, j }) {
    const z = plainDigits(here.z[j]);
    const softmax = here.activation === "softmax";
    return [softmax ? `a = exp(${z}) / Σ exp(z)` : `a = ${here.activation}(${z})`, here.a[j]];
  },
  cost({ frame, settings, here }) {
    return [`C = ${costInNumbers(settings, here.a)}`, frame.losses[settings.taken]];
  },
  BP1({ settings, here, j }) {
    const difference = `${plainDigits(here.a[j])} − ${inBrackets(settings.y[j])}`;
    if (settings.cost !== "quadratic") return [`δ = a − y = ${difference}`, here.delta[j]];
    if (!here.slope) return ["δ = Σ (a − y) ∂a/∂z", here.delta[j]];
    const slope = plainDigits(here.slope[j]);
    return [`δ = (a − y) f′(z) = (${difference}) · ${slope}`, here.delta[j]];
  },
  BP2({ here, next, j }) {
    const terms = next.delta.map((delta, k) => productOf(next.W[j][k], delta));
    return [`δ = (${terms.join(" + ")}) · ${plainDigits(here.slope[j])}`, here.delta[j]];
  },
  BP3({ here, j }) {
    return ["∂C/∂b = δ", here.delta[j]];
  },
  BP4({ here, into, j }) {
    const terms = into.map((x, i) => {
      return `${productOf(x, here.delta[j])} = ${plainDigits(here.gradient[i][j])}`;
    });
    return [`∂C/∂w = a δ: ${terms.join(";  ")}`];
  },
  step({ settings, here, j }) {
    const eta = settings.learning_rate;
    const terms = here.W.map((row, i) => {
      const step = `${plainDigits(row[j])} − ${productOf(eta, here.gradient[i][j])}`;
      return `${step} = ${plainDigits(here.newW[i][j])}`;
    });
    return [`w ← ${terms.join(";  ")}`];
  },
};

function costInNumbers(settings, a) {
  const n = plainDigits;
  const join = (term) => a.map((value, j) => term(value, settings.y[j])).join(" + ");
  if (settings.cost === "quadratic") {
    return `½ [${join((value, y) => `(${n(value)} − ${inBrackets(y)})²`)}]`;
  }
  if (settings.cost === "log_likelihood") {
    return `−[${join((value, y) => `${n(y)} ln ${n(value)}`)}]`;
  }
  const both = (value, y) => `${n(y)} ln ${n(value)} + (1 − ${n(y)}) ln(1 − ${n(value)})`;
  return `−[${join(both)}]`;
}

function strongText(text) {
  return h("strong", {}, text);
}

// "C fell from ... to ...", or rose.
function lossMoved(frame) {
  const { taken } = frame.settings;
  const [before, after] = frame.losses.slice(taken, taken + 2);
  const from = `from ${plainDigits(before)} to ${plainDigits(after)}`;
  let text = `C fell ${from}.`;
  if (after === null || after === undefined) text = "C leaves all bounds: η is far too large.";
  else if (after > before) text = `C rose ${from}: η is too large.`;
  return h("div", { class: "nn-pass-fallen" }, text);
}
