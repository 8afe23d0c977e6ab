/* What the hardware allows for the small step: mini-batch SGD on a net with one hidden layer of sigmoids, sigmoid
 * outputs and the quadratic cost, in float32 on one core. All sizes are constants of the compilation, the hidden layer
 * is padded to whole vectors, a column of W1 (n_in, n_hidden) is read and written as vectors, and the images of the
 * next mini-batch are fetched while one is computed. The width of a vector and the number of sums that are kept in
 * registers follow the instruction set. It does nothing else well; it is a yardstick, not a library.
 *
 *   cc -O3 -march=native -ffast-math -fPIC -DN_IN=784 -DN_HIDDEN=30 -DN_OUT=10 -DBATCH=10 -c floor.c
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
#define INSTRUCTIONS "AVX-512"
#define LANES 16
#define REGISTERS 32
#elif defined(__AVX__)
#ifdef __AVX2__
#define INSTRUCTIONS "AVX2"
#else
#define INSTRUCTIONS "AVX"
#endif
#define LANES 8
#define REGISTERS 16
#elif defined(__ARM_NEON)
#define INSTRUCTIONS "NEON"
#define LANES 4
#define REGISTERS 32
#else
#define INSTRUCTIONS "vectors of 4 numbers"
#define LANES 4
#define REGISTERS 16
#endif
#define VECTORS ((N_HIDDEN + LANES - 1) / LANES)
#define PADDED (VECTORS * LANES)
#define UNROLLED _Pragma("GCC unroll 16")
#define AT_MOST(count, most) ((count) < (most) ? (count) : (most))
#define AT_LEAST_ONE(count) ((count) < 1 ? 1 : (count))

/* the sums of BLOCK images and GROUP vectors stay in registers, beside a group of W1 and a pixel */
#define GROUP AT_MOST(VECTORS, 4)
#define BLOCK AT_MOST(BATCH, AT_LEAST_ONE((REGISTERS - GROUP - 1) / GROUP))

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef union { vec v[VECTORS]; float f[PADDED]; } row; /* one number per hidden unit */

typedef struct {
  row W1[N_IN], b1;  /* the notes' W1, transposed */
  row W2[N_OUT];     /* padded with zeros, which stay zeros */
  float b2[N_OUT];
} network;

network *new_network(const float *W1, const float *b1, const float *W2, const float *b2) {
  network *net = aligned_alloc(4 * LANES, (sizeof(network) + 4 * LANES - 1) / (4 * LANES) * (4 * LANES));
  if (!net) return net;
  memset(net, 0, sizeof *net);
  for (int h = 0; h < N_HIDDEN; h++) {
    for (int i = 0; i < N_IN; i++) net->W1[i].f[h] = W1[h * N_IN + i];
    for (int k = 0; k < N_OUT; k++) net->W2[k].f[h] = W2[k * N_HIDDEN + h];
    net->b1.f[h] = b1[h];
  }
  memcpy(net->b2, b2, sizeof net->b2);
  return net;
}

void read_network(const network *net, float *W1, float *b1, float *W2, float *b2) {
  for (int h = 0; h < N_HIDDEN; h++) {
    for (int i = 0; i < N_IN; i++) W1[h * N_IN + i] = net->W1[i].f[h];
    for (int k = 0; k < N_OUT; k++) W2[k * N_HIDDEN + h] = net->W2[k].f[h];
    b1[h] = net->b1.f[h];
  }
  memcpy(b2, net->b2, sizeof net->b2);
}

static inline float sigmoid(float z) { return 1 / (1 + expf(-z)); }

const char *instruction_set(void) { return INSTRUCTIONS; }

/* z = W1 x + b1 for the images m to m + images and the vectors v to v + vectors; both counts are known when compiled */
static inline __attribute__((always_inline)) void sums(const network *net, const float *const x[BATCH], row z[BATCH],
                                                       int m, int images, int v, int vectors) {
  vec sum[BLOCK][GROUP];
  UNROLLED for (int j = 0; j < images; j++) UNROLLED for (int u = 0; u < vectors; u++) sum[j][u] = net->b1.v[v + u];
  for (int i = 0; i < N_IN; i++)
    UNROLLED for (int j = 0; j < images; j++)
      UNROLLED for (int u = 0; u < vectors; u++) sum[j][u] += x[m + j][i] * net->W1[i].v[v + u];
  UNROLLED for (int j = 0; j < images; j++) UNROLLED for (int u = 0; u < vectors; u++) z[m + j].v[v + u] = sum[j][u];
}

/* a1 = sigmoid(W1 x + b1) for every image of the mini-batch */
static inline void hidden(const network *net, const float *const x[BATCH], row a1[BATCH]) {
  int v = 0;
  for (; v + GROUP <= VECTORS; v += GROUP) {
    int m = 0;
    for (; m + BLOCK <= BATCH; m += BLOCK) sums(net, x, a1, m, BLOCK, v, GROUP);
    if (BATCH % BLOCK) sums(net, x, a1, m, BATCH % BLOCK, v, GROUP);
  }
  if (VECTORS % GROUP)
    for (int m = 0; m < BATCH; m++) sums(net, x, a1, m, 1, v, VECTORS % GROUP);
  for (int m = 0; m < BATCH; m++)
    for (int h = 0; h < PADDED; h++) a1[m].f[h] = sigmoid(a1[m].f[h]);
}

/* eta/B times the error of the outputs (BP1) and of the hidden units (BP2) */
static inline void errors(const network *net, const row a1[BATCH], const uint8_t *const y[BATCH], float step,
                          float d2[BATCH][N_OUT], row d1[BATCH]) {
  for (int m = 0; m < BATCH; m++) {
    for (int k = 0; k < N_OUT; k++) {
      float z = net->b2[k];
      for (int h = 0; h < PADDED; h++) z += net->W2[k].f[h] * a1[m].f[h];
      d2[m][k] = z;
    }
    for (int k = 0; k < N_OUT; k++) {
      float a = sigmoid(d2[m][k]);
      d2[m][k] = step * (a - y[m][k]) * a * (1 - a);
    }
    for (int h = 0; h < PADDED; h++) d1[m].f[h] = 0;
    for (int k = 0; k < N_OUT; k++)
      for (int h = 0; h < PADDED; h++) d1[m].f[h] += d2[m][k] * net->W2[k].f[h];
    for (int h = 0; h < PADDED; h++) d1[m].f[h] *= a1[m].f[h] * (1 - a1[m].f[h]);
  }
}

/* BP3 and BP4, subtracted at once */
static inline void descend(network *net, const float *const x[BATCH], const row a1[BATCH],
                           float d2[BATCH][N_OUT], const row d1[BATCH]) {
  for (int m = 0; m < BATCH; m++)
    for (int k = 0; k < N_OUT; k++) {
      net->b2[k] -= d2[m][k];
      for (int h = 0; h < PADDED; h++) net->W2[k].f[h] -= d2[m][k] * a1[m].f[h];
    }
  vec d[BATCH][VECTORS];
  UNROLLED for (int m = 0; m < BATCH; m++) UNROLLED for (int v = 0; v < VECTORS; v++) {
    d[m][v] = d1[m].v[v];
    net->b1.v[v] -= d[m][v];
  }
  for (int i = 0; i < N_IN; i++) {
    vec even[VECTORS], odd[VECTORS]; /* two sums: half the waiting for the last addition */
    UNROLLED for (int v = 0; v < VECTORS; v++) { even[v] = net->W1[i].v[v]; odd[v] = even[v] * 0; }
    UNROLLED for (int m = 0; m < BATCH; m++)
      UNROLLED for (int v = 0; v < VECTORS; v++) {
        if (m % 2) odd[v] -= x[m][i] * d[m][v];
        else even[v] -= x[m][i] * d[m][v];
      }
    UNROLLED for (int v = 0; v < VECTORS; v++) net->W1[i].v[v] = even[v] + odd[v];
  }
  for (int k = 0; k < N_OUT; k++)
    for (int h = N_HIDDEN; h < PADDED; h++) net->W2[k].f[h] = 0; /* the padding's activation is sigmoid(0), not 0 */
}

static inline void fetch(const float *pixels, const int64_t *rows) {
  for (int m = 0; m < BATCH; m++)
    for (int i = 0; i < N_IN; i += 16) __builtin_prefetch(pixels + rows[m] * N_IN + i, 0, 2);
}

/* `steps` updates on the images `pixels` (n, N_IN) and one-hot `targets` (n, N_OUT), in the order of `rows` */
void train(network *net, const float *pixels, const uint8_t *targets, const int64_t *rows, int64_t steps, float eta) {
  for (int64_t s = 0; s < steps; s++, rows += BATCH) {
    const float *x[BATCH];
    const uint8_t *y[BATCH];
    row a1[BATCH], d1[BATCH];
    float d2[BATCH][N_OUT];
    for (int m = 0; m < BATCH; m++) {
      x[m] = pixels + rows[m] * N_IN;
      y[m] = targets + rows[m] * N_OUT;
    }
    if (s + 1 < steps) fetch(pixels, rows + BATCH);
    hidden(net, x, a1);
    errors(net, a1, y, eta / BATCH, d2, d1);
    descend(net, x, a1, d2, d1);
  }
}
