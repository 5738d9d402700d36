// Controls with labels: each is {element, set(value)} and calls onChange(value) when a hand has
// moved it.

import { freshId, h } from "./dom.js";

// At most three significant digits: 0.005, 0.25, 3, 1e+20; whole numbers below a million as they
// are.
export function shortNumber(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "-";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  const far = size >= 1e6 || (size < 1e-4 && size > 0);
  if (far) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(3)));
}

// A slider with a box for exact numbers.
// scale "log": from min > 0 to max; "log0": the same with 0 as the leftmost place; "linear": in
// steps; or `choices`, an increasing list. The box takes any number, of which the page's kernel
// judges, and the slider goes to the nearest place; strict: there are no values but the choices.
export function slider(options, onChange) {
  const { label, min, max, step = 1, scale = "linear", choices = null, colour = null } = options;
  const { strict = false } = options;
  const id = freshId("slider");
  const places = scale === "linear" ? Math.round((max - min) / step) : 120;
  const steps = choices ? choices.length - 1 : places;
  const valueAt = (place) => {
    if (choices) return choices[place];
    if (scale === "linear") return Number((min + place * step).toPrecision(6));
    if (scale === "log0" && place === 0) return 0;
    return Number((min * (max / min) ** (place / steps)).toPrecision(2));
  };
  const placeOf = (value) => {
    if (choices) return nearest(choices, value);
    if (scale === "linear") return Math.round((value - min) / step);
    if (value <= 0) return 0;
    return Math.round((Math.log(value / min) / Math.log(max / min)) * steps);
  };
  const range = h("input", { id, type: "range", min: 0, max: steps, step: 1 });
  const exact = { inputmode: "decimal", "aria-label": `${label}, exact` };
  const box = h("input", { type: "text", class: "nn-box", ...exact });
  let now = null;
  const show = (value) => {
    now = value;
    if (document.activeElement !== box) box.value = shortNumber(value);
    range.setAttribute("aria-valuetext", shortNumber(value));
  };
  range.addEventListener("input", () => {
    show(valueAt(Number(range.value)));
    onChange(now);
  });
  box.addEventListener("change", () => {
    const value = Number(box.value);
    const wrong = box.value.trim() === "" || !Number.isFinite(value);
    if (wrong) {
      box.value = shortNumber(now);
      return;
    }
    now = strict ? choices[nearest(choices, value)] : value;
    box.value = shortNumber(now);
    range.value = placeOf(now);
    onChange(now);
  });
  // What a hand typed and the kernel refused stays to be mended, until the hand leaves.
  box.addEventListener("blur", () => show(now));
  const element = h(
    "div",
    { class: "nn-control", "data-colour": colour },
    h("label", { for: id }, label),
    h("span", { class: "nn-pair" }, range, box),
  );
  return {
    element,
    range,
    value: () => now,
    set(value) {
      range.value = placeOf(value);
      show(value);
    },
  };
}

function nearest(choices, value) {
  const distances = choices.map((choice) => Math.abs(choice - value));
  return distances.indexOf(Math.min(...distances));
}

// A choice of words; options: texts, or [value, text].
export function select({ label, options }, onChange) {
  const id = freshId("select");
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  const box = h("select", { id, onchange: () => onChange(pairs[box.selectedIndex][0]) });
  box.append(...pairs.map(([value, text]) => h("option", { value }, text)));
  return {
    element: h("div", { class: "nn-control" }, h("label", { for: id }, label), box),
    set(value) {
      const index = pairs.findIndex((pair) => String(pair[0]) === String(value));
      if (index >= 0) box.selectedIndex = index;
      else {
        pairs.push([value, String(value)]); // set from Python
        box.append(h("option", { value }, String(value)));
        box.selectedIndex = pairs.length - 1;
      }
    },
  };
}

// A text that parse() turns into a value; parse throws where it cannot.
export function textBox({ label, parse, format, hint = null }, onChange) {
  const id = freshId("text");
  const box = h("input", { id, type: "text", title: hint });
  let now = "";
  box.addEventListener("change", () => {
    try {
      const value = parse(box.value);
      now = box.value;
      onChange(value);
    } catch {
      box.value = now;
    }
  });
  return {
    element: h("div", { class: "nn-control" }, h("label", { for: id }, label), box),
    set(value) {
      now = format(value);
      if (document.activeElement !== box) box.value = now;
    },
  };
}

export function checkbox({ label }, onChange) {
  const box = h("input", { type: "checkbox", onchange: () => onChange(box.checked) });
  return {
    element: h("label", { class: "nn-check" }, box, " ", label),
    set(value) {
      box.checked = value;
    },
  };
}

export function button(label, onClick, title = null) {
  return h("button", { type: "button", class: "nn-button", title, onclick: onClick }, label);
}
