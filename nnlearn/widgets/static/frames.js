// Reads the frames that _frames.py packs: a header and typed arrays.

const FRAME_TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int32: Int32Array,
};

// view: DataView over one frame, at any offset -> {...header, arrays: [{shape, data}]}; null for
// an empty one; a frame that is unpacked already (offline.js) stays as it is. The bytes are copied,
// since typed arrays must begin where their numbers are aligned.
export function unpackFrame(view) {
  if (!view || view.byteLength === 0) return null;
  if (view.arrays) return view;
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const length = new DataView(bytes).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  const arrays = header.arrays.map(({ dtype, shape, at }) => {
    const count = shape.reduce((product, n) => product * n, 1);
    return { shape, data: new FRAME_TYPES[dtype](bytes, 4 + length + at, count) };
  });
  return { ...header, arrays };
}
