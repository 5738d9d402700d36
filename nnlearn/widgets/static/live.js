// The page's half of _live.py: changes go to the kernel, frames come from it.

import { freshId } from "./dom.js";
import { unpackFrame } from "./frames.js";

// While a hand drags, a change waits until the last one's run is done, at most this many
// milliseconds: short runs complete at every place of the slider, long ones are superseded.
const PATIENCE = 150;

// model: anywidget's. Calls show(frame, {settled, fresh}) for every frame that is not of an older
// run: settled says whether the controls may follow its settings, fresh whether it is the run's
// first; refused(message, settings) for a change that was turned down, failed(message) for a broken
// run.
// The root carries what tests wait for: data-generation, data-done, data-latency (milliseconds from
// the last change to the first frame of its run), data-retrained (complete runs), data-pending
// (whether a change has yet to show).
export function connect(model, root, { show, refused = () => {}, failed = () => {} }) {
  const view = freshId("view");
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's keys, which would edit or delete cells
  let newest = -1;
  let count = 0;
  let sent = null; // {count, at, since, seen}: the change under way
  let waiting = null; // {settings, at}: what the hand has done since
  let timer = 0;
  let undrawn = null; // {frame, since}: drawn next; since: of the change whose first frame it is
  let drawing = 0;

  // A kernel that was restarted knows nothing of the widget; then sending may throw.
  const send = (content) => {
    try {
      model.send(content);
    } catch {
      failed("The kernel no longer knows this widget: run its cell again.");
    }
  };

  // Whether the kernel knew of the change under way when it began this run, be it the change's own
  // or one that something else has begun since.
  const isHeard = (frame) => (frame.heard?.[view] ?? 0) >= sent.count;

  const markPending = () => {
    const late = undrawn !== null || waiting !== null || (sent !== null && !sent.seen);
    root.dataset.pending = late;
  };

  const flush = () => {
    clearTimeout(timer);
    timer = 0;
    if (!waiting) return;
    count += 1;
    sent = { count, at: waiting.at, since: performance.now(), seen: false };
    send({ kind: "change", request: `${view}:${count}`, settings: waiting.settings });
    waiting = null;
  };

  const change = (settings) => {
    const at = waiting ? waiting.at : performance.now();
    waiting = { settings: { ...(waiting ? waiting.settings : {}), ...settings }, at };
    if (!sent) flush();
    else if (!timer) {
      timer = setTimeout(flush, Math.max(PATIENCE - (performance.now() - sent.since), 0));
    }
    markPending();
  };

  const draw = () => {
    cancelAnimationFrame(drawing);
    drawing = 0;
    const { frame, since } = undrawn;
    undrawn = null;
    // Controls stay where the hand has put them until the kernel has caught up.
    const settled = waiting === null && (sent === null || isHeard(frame));
    show(frame, { settled, fresh: String(frame.generation) !== root.dataset.generation });
    if (since !== null) root.dataset.latency = (performance.now() - since).toFixed(1);
    root.dataset.generation = frame.generation;
    root.dataset.done = frame.done;
    if (frame.done) root.dataset.retrained = Number(root.dataset.retrained ?? 0) + 1;
    markPending();
  };

  // Of the frames that come between two paintings of the screen the last one is drawn; the next
  // change goes out before that, so that the kernel is at work meanwhile.
  const take = (dataView) => {
    const frame = unpackFrame(dataView);
    if (!frame || frame.generation < newest) return;
    newest = frame.generation;
    const own = sent !== null && isHeard(frame);
    let since = undrawn ? undrawn.since : null;
    if (own && !sent.seen && hasRows(frame)) {
      sent.seen = true;
      since ??= sent.at;
    }
    undrawn = { frame, since };
    if (!drawing) drawing = requestAnimationFrame(draw);
    if (own && frame.done) {
      sent = null;
      flush();
    }
  };

  const onMessage = (content, buffers) => {
    if (content.kind === "frame") take(buffers[0]);
    else if (content.kind === "refused") {
      if (sent && content.request === `${view}:${sent.count}`) sent = null;
      refused(content.message, content.settings);
      flush();
      markPending();
    }
  };
  const onTrait = () => take(model.get("_frame"));
  const onFailure = () => {
    if (!model.get("_failure")) return;
    failed(model.get("_failure"));
    sent = null;
    flush();
    markPending();
  };
  const onLeave = () => send({ kind: "hidden", view }); // no one cleans up in a page that is left

  return {
    change,
    send,
    // To be called once the widget is ready to show.
    start() {
      model.on("msg:custom", onMessage);
      model.on("change:_frame", onTrait);
      model.on("change:_failure", onFailure);
      addEventListener("pagehide", onLeave);
      onTrait();
      if (undrawn) draw();
      onFailure();
      send({ kind: "shown", view });
    },
    close() {
      clearTimeout(timer);
      cancelAnimationFrame(drawing);
      model.off("msg:custom", onMessage);
      model.off("change:_frame", onTrait);
      model.off("change:_failure", onFailure);
      removeEventListener("pagehide", onLeave);
      onLeave();
    },
  };
}

// connect() for a page whose controls follow every answer and that tells errors at one place, the
// element `error`. take(frame): there is a new frame, for which controls may be built; follow(
// settings): the controls go there; draw(): show the frame.
export function connectPage(model, root, error, { take, follow, draw }) {
  let taken = false;
  return connect(model, root, {
    show(frame, { settled, fresh }) {
      take(frame);
      taken = true;
      if (settled) follow(frame.settings);
      if (fresh) error.textContent = "";
      draw();
    },
    refused(message, settings) {
      error.textContent = message;
      if (!taken) return;
      follow(settings);
      draw();
    },
    failed(message) {
      error.textContent = message;
    },
  });
}

// Whether a run has got beyond its start. Frames without curves count at once.
function hasRows(frame) {
  if (!frame.runs) return true;
  return frame.runs.some((run, i) => frame.arrays[i].shape[0] > 1 || run.state !== "training");
}
