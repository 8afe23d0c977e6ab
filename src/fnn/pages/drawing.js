// The page: what is drawn becomes strokes, the strokes become an image, and the network's outputs become bars.
const told = JSON.parse(document.getElementById("network").textContent);
const unpackedOr = (value) => (typeof value === "object" && value ? unpacked(value) : value);
const network = {
  ...told,
  layers: built(told.layers),
  inputs: { ...told.inputs, mean: unpackedOr(told.inputs.mean), sd: unpackedOr(told.inputs.sd) },
};
const { frame } = network;
const known = { ...told.examples, x: unpacked(told.examples.x), a: unpacked(told.examples.a) };
const pixels = frame.height * frame.width;
const part = (name) => document.getElementById(name);
const [paper, sight, answer, pen] = ["paper", "sight", "answer", "pen"].map(part);
const rows = [...document.querySelectorAll("#bars tbody tr")];
let strokes = [];
let drawing = null; // the pointer that draws
let shown = -1; // the number of the example that is shown; -1: what is drawn

// Numbers in the units of the source, of an image from 0 to 1.
const raw = (image) =>
  Float64Array.from(image.data, (share) => {
    const value = frame.low + share * (frame.high - frame.low);
    return frame.whole ? Math.round(value) : value;
  });

const example = (i) => known.x.subarray(i * pixels, (i + 1) * pixels);

// The largest difference between the outputs of this page and those of fnn predict, on the examples.
function largestDifference() {
  const width = rows.length;
  const apart = known.y.map((_, i) =>
    outputs(network, example(i)).reduce((most, value, k) => Math.max(most, Math.abs(value - known.a[i * width + k])), 0),
  );
  return apart.reduce((x, y) => Math.max(x, y), 0);
}

function paintSight(numbers) {
  const context = sight.getContext("2d");
  const image = context.createImageData(frame.width, frame.height);
  numbers.forEach((value, i) => {
    const share = Math.min(1, Math.max(0, (value - frame.low) / (frame.high - frame.low)));
    image.data.set([...Array(3).fill(255 - Math.round(255 * share)), 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

// The strokes as they were drawn, or the example that is shown.
function paintPaper() {
  const context = paper.getContext("2d");
  const side = paper.width;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, side, side);
  if (shown >= 0) {
    context.imageSmoothingEnabled = false;
    context.drawImage(sight, 0, 0, side, side);
    return;
  }
  [context.lineCap, context.lineJoin, context.strokeStyle] = ["round", "round", "#000"];
  for (const stroke of strokes) {
    context.lineWidth = stroke.pen * side;
    context.beginPath();
    for (const [x, y] of [stroke.points[0], ...stroke.points]) context.lineTo(x * side, y * side); // one point: a dot
    context.stroke();
  }
}

function paintBars(a) {
  const [low, high] = [Math.min(0, ...(a ?? [])), Math.max(1, ...(a ?? []))];
  const best = a && !network.bits ? decided(network, a) : -1;
  rows.forEach((row, i) => {
    const bar = row.querySelector(".bar");
    const value = a ? a[i] : 0;
    bar.style.left = `${(100 * (Math.min(value, 0) - low)) / (high - low)}%`;
    bar.style.width = `${(100 * Math.abs(value)) / (high - low)}%`;
    row.querySelector(".value").textContent = a ? value.toFixed(3) : "";
    row.classList.toggle("best", i === best);
  });
}

// What the network says, in words.
function said(a) {
  const name = network.classes[decided(network, a)] ?? "no class";
  return network.bits ? name : `${name} (${a[decided(network, a)].toFixed(3)})`;
}

// Bars and pictures at once; the words, which are read aloud, when a stroke has ended.
function show(ended) {
  const empty = shown < 0 && strokes.length === 0;
  const numbers = empty ? null : shown < 0 ? raw(imageOf(strokes, frame)) : example(shown);
  paintSight(numbers ?? new Float64Array(pixels).fill(frame.low));
  paintPaper();
  const a = numbers && outputs(network, numbers);
  paintBars(a);
  if (ended) answer.textContent = a ? `The network says ${said(a)}.${about(a)}` : "Nothing is drawn.";
}

function about(a) {
  if (shown < 0) return "";
  const right = known.y[shown];
  const verdict = network.classes[decided(network, a)] === right ? "right" : "wrong";
  return ` It is ${right}: ${verdict}. Image ${shown + 1} of ${known.y.length}, row ${known.rows[shown]}.`;
}

const place = (event) => {
  const box = paper.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};

function begin(event) {
  if (drawing !== null || event.button !== 0) return;
  event.preventDefault();
  paper.focus({ preventScroll: true });
  paper.setPointerCapture(event.pointerId);
  [drawing, shown] = [event.pointerId, -1];
  strokes.push({ pen: pen.value / 100, points: [place(event)] });
  show(false);
}

function move(event) {
  if (event.pointerId !== drawing) return;
  const between = event.getCoalescedEvents?.() ?? [];
  strokes.at(-1).points.push(...(between.length ? between : [event]).map(place));
  show(false);
}

function end(event) {
  if (event.pointerId !== drawing) return;
  drawing = null;
  show(true);
}

function clear() {
  [strokes, shown, drawing] = [[], -1, null];
  show(true);
}

function undo() {
  if (shown < 0) strokes.pop();
  [shown, drawing] = [-1, null];
  show(true);
}

function next() {
  if (!known.y.length) return;
  [strokes, shown, drawing] = [[], (shown + 1) % known.y.length, null];
  show(true);
}

paper.addEventListener("pointerdown", begin);
paper.addEventListener("pointermove", move);
for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) paper.addEventListener(kind, end);
const actions = { clear, undo, next };
for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
part("draw").addEventListener("keydown", (event) => {
  const action = { c: clear, Delete: clear, z: undo, n: next }[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.target === pen) return;
  event.preventDefault();
  action();
});
const fit = () => {
  paper.width = paper.height = Math.round(paper.clientWidth * devicePixelRatio) || 300;
  paintPaper();
};
addEventListener("resize", fit);
[sight.width, sight.height] = [frame.width, frame.height];
fit();
show(true);
if (known.y.length) part("check").textContent = largestDifference().toExponential(1);
document.body.classList.add("ready");
