"use strict";
// The network of the page: its arrays, its layers, and its output for an image in the units of the source.
// An array is { shape, data }. Sums are in float64; the result of a layer is rounded to float32, as in fnn.
const KINDS = { f32: Float32Array, f64: Float64Array, u8: Uint8Array };

function unpacked(packed) {
  const [[kind, text]] = Object.entries(packed);
  return new KINDS[kind](Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

const size = (shape) => shape.reduce((product, k) => product * k, 1);
const flat = (data) => ({ shape: [data.length], data });
const each = (f) => (layer, a) => ({ shape: a.shape, data: a.data.map((z) => f(z, layer)) });

function affine(W, b, a) {
  const z = new Float32Array(b.length);
  for (let i = 0, w = 0; i < b.length; i++) {
    let sum = b[i];
    for (let j = 0; j < a.length; j++) sum += W[w++] * a[j];
    z[i] = sum;
  }
  return z;
}

function maxout({ W, b, pieces }, a) {
  const z = affine(W, b, a.data);
  const units = z.length / pieces;
  const largest = z.slice(0, units);
  for (let i = units; i < z.length; i++) largest[i % units] = Math.max(largest[i % units], z[i]);
  return flat(largest);
}

function convolution({ W, b, size: side }, a) {
  const [channels, height, width] = a.shape;
  const [rows, columns] = [height - side + 1, width - side + 1];
  const z = new Float32Array(b.length * rows * columns);
  for (let f = 0, at = 0; f < b.length; f++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        let [sum, w] = [b[f], f * channels * side * side];
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < side; i++) {
            const start = (c * height + y + i) * width + x;
            for (let j = 0; j < side; j++) sum += W[w++] * a.data[start + j];
          }
        z[at++] = sum;
      }
  return { shape: [b.length, rows, columns], data: z };
}

function maxPool(side, a) {
  const [channels, height, width] = a.shape;
  const [rows, columns] = [height / side, width / side];
  const largest = new Float32Array(channels * rows * columns).fill(-Infinity);
  for (let c = 0, at = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const place = (c * rows + Math.floor(y / side)) * columns + Math.floor(x / side);
        largest[place] = Math.max(largest[place], a.data[at++]);
      }
  return { shape: [channels, rows, columns], data: largest };
}

function softmax(a) {
  const most = a.data.reduce((x, y) => Math.max(x, y), -Infinity); // subtracted first, so that nothing overflows
  const powers = Float64Array.from(a.data, (z) => Math.exp(z - most));
  const sum = powers.reduce((x, y) => x + y, 0);
  return { shape: a.shape, data: Float32Array.from(powers, (p) => p / sum) };
}

// The classes of fnn by their names; fnn page refuses a run with any other.
const LAYERS = {
  Dense: ({ W, b }, a) => flat(affine(W, b, a.data)),
  Maxout: maxout,
  Conv: convolution,
  MaxPool: (layer, a) => maxPool(layer.size, a),
  ConvPool: (layer, a) => maxPool(layer.pool, convolution(layer, a)),
  Flatten: (layer, a) => flat(a.data),
  Sigmoid: each((z) => 1 / (1 + Math.exp(-z))),
  Tanh: each(Math.tanh),
  ReLU: each((z) => (z <= 0 ? 0 : z)),
  LeakyReLU: each((z, { slope }) => (z > 0 ? z : slope * z)),
  Identity: each((z) => z),
  Step: each((z) => (z > 0 ? 1 : 0)),
  Softmax: (layer, a) => softmax(a),
};

// The layers with their arrays, ready to be applied.
function built(layers) {
  return layers.map((layer) => {
    const arrays = Object.entries(layer).filter(([, value]) => typeof value === "object");
    return { ...layer, ...Object.fromEntries(arrays.map(([name, packed]) => [name, unpacked(packed)])) };
  });
}

// What the network sees of numbers in the units of the source, as fnn.data.dataset.scaled_inputs computes it.
function scaled(inputs, raw) {
  const factor = Math.fround(inputs.scale);
  if (!inputs.mean) return Float32Array.from(raw, (x) => Math.fround(x) * factor);
  const [mean, sd] = [inputs.mean, inputs.sd].map((numbers) => (i) => numbers[numbers.length === 1 ? 0 : i]);
  return Float32Array.from(raw, (x, i) => ((x - mean(i)) / sd(i)) * inputs.scale);
}

// The outputs, as fnn predict prints them; the last of the layers is the output of the cost.
function outputs(network, raw) {
  const start = { shape: network.shape, data: scaled(network.inputs, raw) };
  return network.layers.reduce((a, layer) => LAYERS[layer.type](layer, a), start).data;
}

// The number of the class that the outputs stand for: of the largest one, or the number that their bits are.
function decided(network, a) {
  if (network.bits) return a.reduce((number, bit) => 2 * number + (bit > 0.5), 0);
  return a.reduce((best, value, i) => (value > a[best] ? i : best), 0);
}
