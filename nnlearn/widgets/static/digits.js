// Numbers to be read one below the other while they change: always about four digits.

// 0.9820, 12.35, 1234, 1.23e-5; a true minus sign, so that it is as wide as a digit.
export function fourDigits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  let text;
  if (size !== 0 && (size < 5e-5 || size >= 1e5)) text = value.toExponential(2);
  else if (size < 10) text = value.toFixed(4);
  else if (size < 1000) text = value.toFixed(2);
  else text = value.toFixed(0);
  return withMinus(text);
}

// A number as a subscript.
export function lowered(n) {
  return String(n).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
}

function withMinus(text) {
  return text.replace(/^-/, "−").replace("e-", "e−").replace("e+", "e");
}

// The same digits without zeros at the end, for equations: 0.982, 12.35, 1, −0.5.
export function plainDigits(value) {
  return fourDigits(value).replace(/(\.\d*?)0+($|e)/, "$1$2").replace(/\.($|e)/, "$1");
}

// The power of ten as it is written: 1, 10¹, 10⁻³.
export function powerOfTen(power) {
  if (power === 0) return "1";
  const raised = (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]);
  return `10${String(power).replace(/./g, raised)}`;
}
