// From strokes to the image that the network sees, made as the images of its training were made.
// A stroke is { pen, points }: the width of the pen and places [x, y], in units of the side of the drawing. An image is
// the share of ink in each pixel, from 0 to 1, in rows.
const FINE = 4; // bits along a side of a pixel
const PEN = [0.09, 0.18]; // the thinnest and the thickest pen, in sides of the box, that the images of NIST have
const SMALL = 0.1; // of the drawing: what is smaller is not enlarged to the whole box, such as a dot
const [TALL, WIDE] = [32, 20]; // bits of the box that NIST gives a digit of the 8x8 images
const INK = 314; // bits in it that are black, on average over those images
const STRETCH = 2.5; // the most that one direction is stretched against the other, or a bar would become a block

function bounds(strokes) {
  const [xs, ys] = [0, 1].map((k) => strokes.flatMap((stroke) => stroke.points.map((point) => point[k])));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

// The bits whose middles are within half a pen of a line; `placed` takes a point to the grid.
function bitmap(rows, columns, strokes, placed, pen) {
  const bits = new Uint8Array(rows * columns);
  for (const stroke of strokes) {
    const points = stroke.points.map(placed);
    const reach = pen(stroke) / 2;
    for (let k = 0; k < points.length; k++) line(bits, rows, columns, points[Math.max(k - 1, 0)], points[k], reach);
  }
  return bits;
}

function line(bits, rows, columns, [x0, y0], [x1, y1], reach) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const square = dx * dx + dy * dy || 1;
  const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a, b, most) => Math.min(most - 1, Math.ceil(Math.max(a, b) + reach));
  for (let y = first(y0, y1); y <= last(y0, y1, rows); y++)
    for (let x = first(x0, x1); x <= last(x0, x1, columns); x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / square));
      if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= reach * reach) bits[y * columns + x] = 1;
    }
}

// The share of ones in each block of FINE x FINE bits.
function blocks(bits, rows, columns) {
  const image = { height: rows / FINE, width: columns / FINE };
  image.data = new Float64Array(image.height * image.width);
  bits.forEach((bit, i) => {
    const [y, x] = [Math.floor(i / columns / FINE), Math.floor((i % columns) / FINE)];
    image.data[y * image.width + x] += bit / FINE ** 2;
  });
  return image;
}

// The sums of the rows and of the columns of an image.
function sums({ height, width, data }) {
  const [rows, columns] = [new Float64Array(height), new Float64Array(width)];
  data.forEach((value, i) => {
    rows[Math.floor(i / width)] += value;
    columns[i % width] += value;
  });
  return [rows, columns];
}

// A piece with its centre of mass, or of its ink, in the middle of an image; what does not fit is cut off.
function centred(piece, { height, width, centre }) {
  const [down, across] = sums(piece).map(centre === "mass" ? meanPlace : middle);
  const [top, left] = [Math.round(down - height / 2), Math.round(across - width / 2)];
  const image = { height, width, data: new Float64Array(height * width) };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [row, column] = [y + top, x + left];
      const inside = row >= 0 && column >= 0 && row < piece.height && column < piece.width;
      if (inside) image.data[y * width + x] = piece.data[row * piece.width + column];
    }
  return image;
}

const meanPlace = (weights) => weights.reduce((sum, w, i) => sum + w * i, 0) / weights.reduce((sum, w) => sum + w, 0);
const edges = (weights) => [weights.findIndex((w) => w > 0), weights.findLastIndex((w) => w > 0)];
const middle = (weights) => (edges(weights)[0] + edges(weights)[1] + 1) / 2;

// As in MNIST: fitted into a box without changing its proportions, then centred.
function fitted(strokes, frame) {
  const { left, top, width, height } = bounds(strokes);
  const box = frame.box * FINE;
  const longest = Math.max(width, height, SMALL);
  const widths = strokes.map((stroke) => (stroke.pen * box) / (longest + stroke.pen));
  const pens = widths.map((pen) => Math.min(PEN[1] * box, Math.max(PEN[0] * box, pen)));
  const thickest = Math.max(...pens);
  const scale = (box - thickest) / longest;
  const placed = ([x, y]) => [(x - left) * scale + thickest / 2, (y - top) * scale + thickest / 2];
  const bits = bitmap(box, box, strokes, placed, (stroke) => pens[strokes.indexOf(stroke)]);
  return centred(blocks(bits, box, box), frame);
}

// As in the 8x8 digits: set upright, stretched to NIST's box, the amount of ink made equal, and counted in blocks.
function counted(strokes, frame) {
  const { bits, across } = stretched(strokes);
  const slope = lean(bits).apart / across / Math.max(bounds(strokes).height, 1e-9); // round ends lean less than the lines
  const sheared = strokes.map((stroke) => ({ ...stroke, points: stroke.points.map(([x, y]) => [x - y * slope, y]) }));
  return { ...frame, data: blocks(upright(stretched(sheared).bits), TALL, TALL).data };
}

// The bits of strokes in a box, by the pen that gives the usual amount of ink, and how much the width was stretched.
function stretched(strokes) {
  const { left, top, width, height } = bounds(strokes);
  let best = null;
  for (let pen = 3; pen <= 10; pen += 0.5) {
    let [across, down] = [(WIDE - pen) / Math.max(width, 1e-9), (TALL - pen) / Math.max(height, 1e-9)];
    [across, down] = [Math.min(across, STRETCH * down), Math.min(down, STRETCH * across)];
    const [x0, y0] = [(TALL - width * across) / 2, (TALL - height * down) / 2];
    const placed = ([x, y]) => [(x - left) * across + x0, (y - top) * down + y0];
    const bits = bitmap(TALL, TALL, strokes, placed, () => pen);
    const apart = Math.abs(bits.reduce((sum, bit) => sum + bit, 0) - INK);
    if (best === null || apart < best.apart) best = { apart, bits, across };
  }
  return best;
}

const bitRows = (bits) => Array.from({ length: TALL }, (_, y) => bits.subarray(y * TALL, (y + 1) * TALL));

// The first and the last row of ink, and how far the leftmost bit of the last is to the right of that of the first.
function lean(bits) {
  const leftmost = bitRows(bits).map((row) => row.indexOf(1));
  const [first, last] = edges(leftmost.map((x) => x + 1));
  return { first, last, apart: leftmost[last] - leftmost[first] };
}

// The rows shifted until the leftmost bits of the first and of the last row of ink stand above each other, as in the 8x8
// digits, and all of them shifted to the middle.
function upright(bits) {
  const { first, last, apart } = lean(bits);
  const shift = (y) => Math.round(((y - first) * apart) / Math.max(last - first, 1));
  const shifted = bitRows(bits).map((row, y) => [...row.keys()].filter((x) => row[x]).map((x) => x - shift(y)));
  const [least, most] = [Math.min(...shifted.flat()), Math.max(...shifted.flat())];
  const left = Math.round((least + most + 1 - TALL) / 2);
  const result = shifted.map(() => new Uint8Array(TALL));
  shifted.forEach((row, y) => row.forEach((x) => (result[y][x - left] = 1))); // beyond its ends an array takes nothing
  return Uint8Array.from(result.flatMap((row) => [...row]));
}

// The image that the network sees of strokes, at least one.
const imageOf = (strokes, frame) => (frame.centre === "counts" ? counted : fitted)(strokes, frame);
