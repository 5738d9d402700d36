// Stands in for the kernel in a file without one: changes are answered from frames that were made
// beforehand, and the widget's own module does not know the difference.

import { unpackFrame } from "./frames.js";

// frames: base64 texts; answer(frames, settings) -> the frame that these settings would give.
export function offlineModel(texts, answer) {
  const listeners = new Map();
  const frames = texts.map((text) => unpackFrame(bytesOf(text)));
  let settings = frames[0].settings;
  let generation = 0;
  const emit = (name, ...values) => (listeners.get(name) ?? []).forEach((f) => f(...values));
  const show = (request) => {
    generation += 1;
    const [, view, count] = /^(.*):(\d+)$/.exec(request ?? ":0");
    const facts = { generation, heard: { [view]: Number(count) }, done: true, offline: true };
    const frame = { ...answer(frames, settings), ...facts };
    emit("msg:custom", { kind: "frame" }, [frame]);
  };
  return {
    get: (name) => ({ _predict: false })[name] ?? null,
    set() {},
    save_changes() {},
    on(name, f) {
      listeners.set(name, [...(listeners.get(name) ?? []), f]);
    },
    off(name, f) {
      listeners.set(name, (listeners.get(name) ?? []).filter((other) => other !== f));
    },
    send(content) {
      if (content.kind === "shown") queueMicrotask(() => show(null));
      if (content.kind !== "change") return;
      settings = merged(settings, content.settings);
      queueMicrotask(() => show(content.request));
    },
  };
}

function merged(settings, changes) {
  const next = { ...settings };
  for (const [name, value] of Object.entries(changes)) {
    const both = isMapping(value) && isMapping(settings[name]);
    next[name] = both ? { ...settings[name], ...value } : value;
  }
  return next;
}

function isMapping(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return new DataView(bytes.buffer);
}
