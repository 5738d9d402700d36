// DrawDigit: what a network makes of a drawing, while a hand draws it.

import { button, shortNumber, slider } from "./controls.js";
import { h, svg } from "./dom.js";
import { connect } from "./live.js";
import { inkImage, paper } from "./paper.js";
import { followTheme } from "./theme.js";
import { tiles } from "./tiles.js";
import { unitSquares } from "./units.js";

export default {
  render({ model, el }) {
    const group = { role: "group", "aria-label": "Draw a digit" };
    const root = h("div", { class: "nn-widget nn-draw", ...group });
    el.append(root);
    let frame = null;
    let pen = null;

    const sheet = paper("paper to draw a digit on", (strokes) => {
      live.change({ strokes, sample: null });
    });
    const seen = seenImage();
    const verdict = h("div", { class: "nn-verdict", role: "status" });
    const label = h("div", { class: "nn-draw-label" });
    const bars = h("div", { class: "nn-draw-bars", role: "list", "aria-label": "probabilities" });
    const layers = h("div", {});
    const speakers = h("div", { class: "nn-draw-speakers" });
    const speech = h("figcaption", {});
    const speechWords = h("div", { class: "nn-quiet" });
    const speechFigure = h("figure", { class: "nn-draw-figure" }, speech, speechWords, speakers);
    const status = h("div", { class: "nn-quiet nn-status" });
    const error = h("div", { class: "nn-error", role: "alert" });
    const sample = button("A digit from the test set", () => {
      const most = frame.limits.samples;
      sheet.clear();
      live.change({ strokes: [], sample: Math.floor(Math.random() * most) });
    });
    const undo = button("Undo", () => {
      if (sheet.undo()) live.change({ strokes: sheet.strokes(), sample: null });
    }, "take the last stroke away");
    const clear = button("Clear", () => {
      sheet.clear();
      live.change({ strokes: [], sample: null });
    });
    const penPlace = h("div", {});
    root.append(h("div", { class: "nn-draw-columns" },
      h("div", { class: "nn-draw-left" }, sheet.element,
        h("div", { class: "nn-buttons" }, clear, undo, sample), penPlace, status, error),
      h("div", { class: "nn-draw-answer" }, verdict, label,
        h("div", { class: "nn-draw-pair" }, seen.element, bars)),
      h("div", { class: "nn-draw-inside" }, layers, speechFigure),
    ));

    const live = connect(model, root, {
      show(next, { settled, fresh }) {
        frame = next;
        if (fresh) error.textContent = "";
        if (!pen) buildPen();
        if (settled && !sheet.isDrawing()) take(frame.settings);
        draw();
      },
      refused(message, settings) {
        error.textContent = message;
        take(settings);
      },
      failed(message) {
        error.textContent = message;
      },
    });

    function buildPen() {
      const [min, max] = frame.limits.pen_width.map((share) => 100 * share);
      pen = slider({ label: "width of the pen, % of the paper", min, max, step: 1 }, (percent) => {
        sheet.setPen(percent / 100);
        live.change({ pen_width: percent / 100 });
      });
      penPlace.append(pen.element);
      sample.textContent = `A digit from the ${frame.set}`;
      sample.hidden = frame.limits.samples === 0;
    }

    function take(settings) {
      const isImage = settings.sample !== null || settings.image !== null;
      sheet.setPen(settings.pen_width);
      sheet.set(settings.strokes, isImage ? frame.arrays[0] : null);
      pen.set(100 * settings.pen_width);
    }

    // ---- what the network says ------------------------------------------------------------------

    function draw() {
      const [image, probabilities, ...rest] = frame.arrays;
      const hidden = frame.answered ? rest.slice(0, frame.units.length) : [];
      seen.draw(image, frame.box, frame.centre, frame.settings.strokes.length > 0);
      drawBars(frame.answered ? Array.from(probabilities.data) : null);
      drawVerdict(probabilities);
      drawLayers(hidden.map((layer) => layer.data));
      drawSpeakers(hidden, frame.parts ? rest[rest.length - 1] : null);
      drawStatus();
    }

    function drawVerdict(probabilities) {
      verdict.setAttribute("aria-busy", sheet.isDrawing());
      const name = frame.answered ? frame.names[frame.winner] : "";
      root.dataset.winner = name;
      const share = frame.answered ? inTenths(probabilities.data[frame.winner]) : "";
      setText(verdict, frame.answered ? `I read: ${name} (${share})` : "Draw a digit");
      const right = frame.label === name ? "right" : "wrong";
      const verdictOnIt = frame.answered ? `; the answer is ${right}` : "";
      setText(label, frame.label === null ? "" : `It is labelled ${frame.label}${verdictOnIt}.`);
    }

    function drawBars(shares) {
      if (bars.children.length !== frame.names.length) {
        bars.replaceChildren(...frame.names.map((name) => (
          h("div", { class: "nn-draw-bar", role: "listitem" },
            h("span", { class: "nn-draw-name" }, name),
            h("span", { class: "nn-draw-track" }, h("span", {})),
            h("span", { class: "nn-draw-share" }))
        )));
      }
      [...bars.children].forEach((bar, k) => {
        const share = shares ? shares[k] : 0;
        bar.children[1].firstChild.style.width = `${100 * share}%`;
        setText(bar.children[2], shares ? inTenths(share) : "");
        bar.toggleAttribute("data-best", shares !== null && k === frame.winner);
      });
    }

    let squares = [];
    function drawLayers(hidden) {
      if (squares.length !== frame.units.length) {
        squares = frame.units.map((_, i) => unitSquares(`activations of hidden layer ${i + 1}`));
        layers.replaceChildren(...squares.map((one) => (
          h("figure", { class: "nn-draw-figure" }, h("figcaption", {}), one.element)
        )));
      }
      frame.units.forEach((n, i) => {
        const shown = Math.min(n, frame.most_units);
        const number = frame.units.length > 1 ? ` layer ${i + 1}` : " layer";
        const part = shown < n ? `the first ${shown} of ${n} units` : `${n} units`;
        setText(layers.children[i].firstChild, `Hidden${number}: ${part}, larger is more active`);
        const speak = frame.answered && i === frame.units.length - 1 ? frame.speakers : [];
        squares[i].draw(hidden[i] ?? Array(shown).fill(NaN), speak);
      });
    }

    // One small picture and three numbers for each of the units that speak most for the winner.
    let pictures = [];
    function drawSpeakers(hidden, parts) {
      const units = frame.answered ? frame.speakers : [];
      speechFigure.hidden = units.length === 0;
      if (units.length === 0) return;
      setText(speech, `Units that speak most for ${frame.names[frame.winner]}, outlined above`);
      const way = " In the pictures, ink in blue raises the unit, in orange lowers it.";
      setText(speechWords, `Each adds its activation times its weight.${parts ? way : ""}`);
      if (pictures.length !== units.length) {
        pictures = units.map(() => ({
          picture: parts ? tiles("what each pixel adds") : null,
          text: h("span", {}),
        }));
        speakers.replaceChildren(...pictures.map(({ picture, text }) => (
          h("div", { class: "nn-draw-speaker" }, picture?.element, text)
        )));
      }
      const last = hidden[hidden.length - 1].data;
      units.forEach((j, i) => {
        const { picture, text } = pictures[i];
        const active = j < last.length ? `, active ${last[j].toFixed(2)}` : "";
        setText(text, `unit ${j + 1}${active}, adds ${shortNumber(frame.adds[i])}`);
        if (!picture) return;
        const [, height, width] = parts.shape;
        const data = parts.data.subarray(i * height * width, (i + 1) * height * width);
        picture.draw({ shape: [1, height, width], data });
      });
    }

    function drawStatus() {
      const words = [];
      if (frame.training) words.push("the network is being trained");
      else if (frame.accuracy !== null) {
        const n = frame.limits.samples.toLocaleString("en");
        words.push(`reads ${inTenths(frame.accuracy)} of the ${frame.set}'s ${n} digits right`);
      }
      if (frame.answered) words.push(`answered in ${frame.milliseconds.toFixed(1)} ms`);
      setText(status, words.join("; "));
    }

    const unfollow = followTheme(root, () => {
      sheet.redraw();
      seen.redraw();
      for (const { picture } of pictures) picture?.redraw();
    });
    live.start();

    return () => {
      live.close();
      unfollow();
      sheet.close();
      seen.close();
      root.remove();
    };
  },
};

// The image (28, 28) with the box that its digit fits and the place of its centre of mass.
function seenImage() {
  const named = { role: "img", "aria-label": "the image that the network sees" };
  const canvas = h("canvas", { class: "nn-seen", ...named });
  const box = svg("rect", {});
  const cross = svg("path", {});
  const marks = svg("svg", { class: "nn-seen-marks", "aria-hidden": "true" }, box, cross);
  const caption = h("figcaption", {}, "As the network sees it");
  const words = h("div", { class: "nn-quiet" });
  let shown = null;
  const redraw = () => {
    if (!shown || !canvas.isConnected) return;
    [canvas.height, canvas.width] = shown.shape;
    const ink = inkImage(shown, getComputedStyle(canvas).color);
    canvas.getContext("2d").drawImage(ink, 0, 0);
  };
  const resized = new ResizeObserver(redraw); // attached to the page
  resized.observe(canvas);
  return {
    element: h("figure", { class: "nn-draw-figure" }, caption,
      h("div", { class: "nn-seen-frame" }, canvas, marks), words),
    redraw,
    close: () => resized.disconnect(),
    // inkBox: [top, left, height, width]; centre: [y, x] of the ink's mass, in pixels.
    draw(image, inkBox, centre, scaled) {
      shown = image;
      redraw();
      const [height, width] = image.shape;
      marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
      marks.toggleAttribute("hidden", !inkBox);
      if (!inkBox) {
        setText(words, "");
        return;
      }
      const [top, left, rows, columns] = inkBox;
      Object.entries({ x: left, y: top, width: columns, height: rows })
        .forEach(([name, value]) => box.setAttribute(name, value));
      const [y, x] = centre;
      cross.setAttribute("d", `M${x - 1},${y}h2M${x},${y - 1}v2`);
      const size = `${columns} by ${rows} of ${width} by ${height} pixels`;
      setText(words, scaled ? `scaled to ${size}; the cross is its centre of mass` : size);
    },
  };
}

// A share in percent: 61.3 %.
function inTenths(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

// Set a text only where it differs, since screen readers speak what is set.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
