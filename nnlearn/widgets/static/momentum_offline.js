// The mathematics of Momentum for files without a kernel (to_html). A notebook never calls it:
// there nnlearn.descent does the sums. The tests hold the two against each other, bit for bit.

const FARTHEST_COST = 1e12;

const OFFLINE_SURFACES = {
  bowl: (condition) => ({
    view: [-2, 2, -1.5, 1.5],
    minimum: [0, 0],
    start: [-1.8, 1],
    cost: (x, y) => (x * x / condition + y * y) / 2,
    gradient: (x, y) => [x / condition, y],
  }),
  valley: () => ({
    view: [-2, 2, -0.6, 2.4],
    minimum: [1, 1],
    start: [-1.5, 1.6],
    cost(x, y) {
      const [along, across] = [1 - x, y - x * x];
      return (along * along + 10 * across * across) / 100;
    },
    gradient(x, y) {
      const [along, across] = [1 - x, y - x * x];
      return [-(along + 20 * x * across) / 50, across / 5];
    },
  }),
};

// The ranges that the kernel would insist on.
const OFFLINE_LIMITS = {
  condition: [1, 1000],
  learning_rate: [1e-12, 100],
  momentum: [0, 1 - 1e-12],
  steps: [1, 1000],
  goal: [1e-300, 100],
};

// frame: the file's only one -> what is other in the frame of the settings given.
export function momentumOffline(frame, given) {
  const settings = { ...given };
  for (const [name, [low, high]] of Object.entries(OFFLINE_LIMITS)) {
    settings[name] = Math.min(Math.max(given[name], low), high);
  }
  settings.steps = Math.round(settings.steps);
  const surface = OFFLINE_SURFACES[settings.surface](settings.condition);
  const { view, minimum, cost } = surface;
  const [left, right, bottom, top] = view;
  const inside = ([x, y]) => x >= left && x <= right && y >= bottom && y <= top;
  if (!inside(settings.start)) settings.start = surface.start;
  const { learning_rate: eta, momentum: mu, same_pace: quick, goal } = settings;
  const paths = [
    { method: "gradient_descent", rate: quick ? eta / (1 - mu) : eta, push: 0, nesterov: false },
    { method: "momentum", rate: eta, push: mu, nesterov: false },
    { method: "nesterov", rate: eta, push: mu, nesterov: true },
  ].map((way) => ({ ...way, ...descendOffline(surface, settings, way) }));
  const methods = paths.map(({ method, rate, push, nesterov, rows, unbounded }) => {
    const costs = rows.map((row) => row[2]);
    const first = costs.findIndex((value) => value <= goal);
    const settled = costs.length - [...costs].reverse().findIndex((value) => !(value <= goal));
    const never = costs.every((value) => value <= goal);
    const isBowl = settings.surface === "bowl";
    const limit = (2 * (1 + push)) / (nesterov ? 1 + 2 * push : 1);
    const rises = isBowl && rate > limit && costs[costs.length - 1] > costs[0];
    return {
      method,
      rate,
      limit: isBowl ? limit : null,
      first: first < 0 ? null : first,
      settled: never ? 0 : settled < costs.length ? settled : null,
      diverged: unbounded || rises,
    };
  });
  const [whole, fine] = frame.arrays.slice(methods.length).map(({ shape }) => shape);
  const costs = costsOffline(cost, view, whole);
  const goalView = goalViewOffline(costs, view, minimum, goal);
  const arrays = paths.map((path) => (
    { shape: [path.rows.length, 3], data: Float64Array.from(path.rows.flat()) }
  ));
  arrays.push(costs, costsOffline(cost, goalView, fine));
  return { settings, view, minimum, goal_view: goalView, methods, arrays };
}

function costsOffline(cost, [left, right, bottom, top], [rows, columns]) {
  const data = Float32Array.from({ length: rows * columns }, (_, cell) => cost(
    left + ((cell % columns) / (columns - 1)) * (right - left),
    bottom + (Math.floor(cell / columns) / (rows - 1)) * (top - bottom),
  ));
  return { shape: [rows, columns], data };
}

// The part of the view where costs are up to the goal, and a cell around it.
function goalViewOffline({ shape: [rows, columns], data }, [left, right, bottom, top], at, goal) {
  const [wide, high] = [(right - left) / (columns - 1), (top - bottom) / (rows - 1)];
  const box = [at[0], at[0], at[1], at[1]];
  data.forEach((cost, cell) => {
    if (cost > goal) return;
    const x = left + (cell % columns) * wide;
    const y = bottom + Math.floor(cell / columns) * high;
    [box[0], box[1]] = [Math.min(box[0], x), Math.max(box[1], x)];
    [box[2], box[3]] = [Math.min(box[2], y), Math.max(box[3], y)];
  });
  return [
    Math.max(box[0] - wide, left), Math.min(box[1] + wide, right),
    Math.max(box[2] - high, bottom), Math.min(box[3] + high, top),
  ];
}

// Rows of x, y, cost, and whether they went beyond all bounds:
//   v <- mu v - eta g ;   W <- W + v,   Nesterov's W <- W + mu v - eta g.
function descendOffline({ cost, gradient }, { start, steps }, { rate, push, nesterov }) {
  let [x, y] = start;
  let [vx, vy] = [0, 0];
  const rows = [[x, y, cost(x, y)]];
  let unbounded = false;
  for (let step = 0; step < steps && !unbounded; step += 1) {
    const [dx, dy] = gradient(x, y);
    const [stepX, stepY] = [rate * dx, rate * dy];
    [vx, vy] = [push * vx - stepX, push * vy - stepY];
    x += nesterov ? push * vx - stepX : vx;
    y += nesterov ? push * vy - stepY : vy;
    const row = [x, y, cost(x, y)];
    const isNumber = row.every(Number.isFinite);
    if (isNumber) rows.push(row);
    unbounded = !isNumber || row[2] > FARTHEST_COST;
  }
  return { rows, unbounded };
}
