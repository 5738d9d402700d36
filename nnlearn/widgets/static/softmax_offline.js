// The mathematics of SoftmaxExplorer for files without a kernel (to_html). A notebook never calls
// it: there nnlearn does the sums. The tests hold the two against each other.

// z: numbers; c: the factor -> the arrays of a frame: softmax outputs a, sigmoid outputs, Jacobian.
//   a_j = exp(c z_j - m) / sum_k exp(c z_k - m), m the largest c z_k, so that nothing overflows
//   sigmoid_j = 1 / (1 + exp(-c z_j))
//   da_j/dz_k = c a_j (delta_jk - a_k)
export function softmaxOffline(z, c) {
  const largest = Math.max(...z.map((value) => c * value));
  const powers = z.map((value) => Math.exp(c * value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const a = powers.map((power) => power / total);
  const sigmoid = z.map((value) => 1 / (1 + Math.exp(-c * value)));
  const rest = (j) => a.reduce((sum, ak, k) => (k === j ? sum : sum + ak), 0); // 1 - a_j
  const jacobian = a.flatMap((aj, j) => a.map((ak, k) => c * aj * (j === k ? rest(j) : -ak)));
  const n = z.length;
  return [
    { shape: [n], data: Float64Array.from(a) },
    { shape: [n], data: Float64Array.from(sigmoid) },
    { shape: [n, n], data: Float64Array.from(jacobian) },
  ];
}
