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

// 0.98, -1.3, 12: for places where there is little room.
export function twoDigits(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 5e-3 || size >= 1e4)) return withMinus(value.toExponential(0));
  return withMinus(value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0));
}

function withMinus(text) {
  return text.replace(/^-/, "−").replace("e-", "e−").replace("e+", "e");
}
