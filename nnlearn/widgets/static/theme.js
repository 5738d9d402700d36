// Light or dark: told by the page's background, since notebooks differ in how they say it.

const themesRead = new WeakMap(); // of roots: {theme, colours}
const colourReader = document.createElement("canvas")
  .getContext("2d", { willReadFrequently: true });

// The style sheet's colours as [red, green, blue]: {curves: [...], ground, ink}; read once a theme.
export function coloursOfTheme(root) {
  const { theme } = root.dataset;
  const known = themesRead.get(root);
  if (known && known.theme === theme) return known.colours;
  const style = getComputedStyle(root);
  const read = (name) => {
    colourReader.clearRect(0, 0, 1, 1);
    colourReader.fillStyle = style.getPropertyValue(`--nn-${name}`).trim();
    colourReader.fillRect(0, 0, 1, 1);
    return [...colourReader.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const curves = [0, 1, 2, 3, 4, 5, 6].map((k) => read(`c${k}`));
  const colours = { curves, ground: read("ground"), ink: read("ink") };
  themesRead.set(root, { theme, colours });
  return colours;
}

// Mark the root "light" or "dark" now and whenever the page changes; the answer ends that.
// onChange is called after each change.
export function followTheme(root, onChange = () => {}) {
  const look = () => {
    const theme = isDark(root) ? "dark" : "light";
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    onChange();
  };
  const observer = new MutationObserver(look);
  const options = { attributes: true };
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, options);
  }
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", look);
  const later = [0, 100, 1000].map((ms) => setTimeout(look, ms)); // style sheets come late
  look();
  return () => {
    observer.disconnect();
    preference.removeEventListener("change", look);
    later.forEach(clearTimeout);
  };
}

function isDark(root) {
  const named = document.body.dataset.jpThemeLight;
  if (named) return named === "false";
  for (let element = root.parentElement; element; element = element.parentElement) {
    const [red, green, blue, alpha = 1] = numbersOf(getComputedStyle(element).backgroundColor);
    if (alpha > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function numbersOf(colour) {
  return (colour.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
}
