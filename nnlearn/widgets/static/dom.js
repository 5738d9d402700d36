// Making elements of HTML and SVG.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
const COLOURS = 7; // of curves, in widgets.css
let idsGiven = 0;

// An id that no other element of the page has.
export function freshId(stem) {
  idsGiven += 1;
  return `nn-${stem}-${idsGiven}-${Math.random().toString(36).slice(2, 8)}`;
}

// An HTML element. attributes: "on..." functions listen, true sets an empty attribute, null and
// false set none; data-colour: the k-th curve's, of which data-round tells when it comes again.
// children: elements and texts.
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

// An SVG element, likewise.
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data-colour" && value >= COLOURS) {
      element.setAttribute(name, value % COLOURS);
      element.setAttribute("data-round", Math.floor(value / COLOURS));
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
