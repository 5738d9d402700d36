// Networks side by side: a slider for the learning rate of each variant, and which are compared.

import { checkbox, slider } from "./controls.js";
import { h } from "./dom.js";

const VARIANT_RATES = { min: 0.001, max: 100, scale: "log" };

// frame(): the frame on show, of whose settings.variants and settings.learning_rate the controls
// are, with the variants' names in `standard` to choose from, and, in a file without a kernel, the
// only rates there are in limits.rates; change(settings): the hand wants these; coloured: whether
// sliders have the colours of curves.
export function variantControls({ frame, change, coloured = false }) {
  let sliders = new Map();
  let common = false; // one learning rate for all

  const namesNow = () => Object.keys(frame().settings.variants);

  const rateSlider = (name, i) => {
    const rates = frame().limits?.rates;
    const scale = rates ? { choices: rates, strict: true } : VARIANT_RATES;
    const colour = coloured ? i : null;
    return slider({ label: `learning rate, ${name}`, colour, ...scale }, (value) => {
      // With what other sliders show but the kernel may not have heard of yet.
      const shown = [...sliders].map(([other, one]) => [other, one.value()]);
      const all = { ...Object.fromEntries(shown), [name]: value };
      change({ learning_rate: common ? value : all });
    });
  };

  const oneRate = () => {
    const box = checkbox({ label: "one learning rate for all" }, (on) => {
      common = on;
      if (on) change({ learning_rate: frame().settings.learning_rate[namesNow()[0]] });
    });
    box.set(common);
    return box.element;
  };

  const choice = () => {
    const boxes = [...new Set([...namesNow(), ...frame().standard])].map((name) => {
      const box = checkbox({ label: name }, (on) => {
        const now = namesNow();
        const next = on ? [...now, name] : now.filter((other) => other !== name);
        if (next.length) change({ variants: next });
        else box.set(true);
      });
      box.set(namesNow().includes(name));
      return box.element;
    });
    return h("fieldset", {}, h("legend", {}, "compared"), ...boxes);
  };

  return {
    // New elements, for the variants on show: {rates: [element, ...], oneRate, choice}.
    build() {
      sliders = new Map(namesNow().map((name, i) => [name, rateSlider(name, i)]));
      const rates = [...sliders.values()].map((one) => one.element);
      return { rates, oneRate: oneRate(), choice: choice() };
    },
    set(settings) {
      for (const [name, one] of sliders) {
        if (name in settings.learning_rate) one.set(settings.learning_rate[name]);
      }
    },
  };
}
