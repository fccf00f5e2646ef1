/* All time steps of a spiking neuron in one pass over memory; compiled once for float and once for double.

   Every tensor is [steps, size]: one step is a dense run of `size` numbers in any order of axes,
   the steps of the input lie `x_step` numbers apart. A block of neurons is worked through all its
   steps while its membrane stays in the first cache: an input is read once, an output written once.
   The order of operations is that of SpikingJelly's forward, and contraction to fused multiply-add
   is off (-ffp-contract=off), so spikes and membrane equal SpikingJelly's bit for bit. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

/* Defined by compiled.py: REAL (and REAL_IS_FLOAT), BLOCK. */
typedef REAL real;

enum charge { INTEGRATE, LEAK_DIVIDE, LEAK_MULTIPLY };
enum slope { SIGMOID, ATAN, PIECEWISE_QUADRATIC, PIECEWISE_EXP, SOFT_SIGN, SUPER_SPIKE, ERF };

/* Mirrored by `Settings` in compiled.py. `leak` is tau or, for LEAK_MULTIPLY, 1 / tau. */
typedef struct {
    int64_t steps, size, x_step;
    int32_t charge, decay_input, soft_reset, detach_reset, slope, threads;
    double leak, threshold, reset, start, alpha;
} settings;

#define EACH for (int64_t i = 0; i < n; i++)

/* One step of `n` neurons: charge, fire, reset. Emits spikes, or the charged membrane h. Compiled
   once for each combination of the constants, so that each is a single loop. */
static inline __attribute__((always_inline)) void
advance(const settings *s, int charge, int decay, int soft, int emit_h, const real *restrict x,
        real *restrict v, real *restrict out, int64_t n)
{
    const real leak = (real)s->leak, threshold = (real)s->threshold, reset = (real)s->reset;
    const real rest = soft ? 0 : reset;
    EACH {
        real h;
        if (charge == INTEGRATE) {
            h = v[i] + x[i];
        } else {
            const real above = v[i] - rest, taken = decay ? x[i] - above : above;
            const real leaked = charge == LEAK_DIVIDE ? taken / leak : taken * leak;
            h = decay ? v[i] + leaked : v[i] - leaked + x[i];
        }
        const real spike = h >= threshold ? (real)1 : (real)0;
        out[i] = emit_h ? h : spike;
        v[i] = soft ? h - spike * threshold : spike * reset + ((real)1 - spike) * h;
    }
}

static inline __attribute__((always_inline)) void
step(const settings *s, int emit_h, const real *x, real *v, real *out, int64_t n)
{
#define WITH(CHARGE, DECAY)                                                                        \
    do {                                                                                           \
        if (s->soft_reset)                                                                         \
            advance(s, CHARGE, DECAY, 1, emit_h, x, v, out, n);                                    \
        else                                                                                       \
            advance(s, CHARGE, DECAY, 0, emit_h, x, v, out, n);                                    \
    } while (0)
    if (s->charge == INTEGRATE)
        WITH(INTEGRATE, 1);
    else if (s->charge == LEAK_DIVIDE && s->decay_input)
        WITH(LEAK_DIVIDE, 1);
    else if (s->charge == LEAK_DIVIDE)
        WITH(LEAK_DIVIDE, 0);
    else if (s->decay_input)
        WITH(LEAK_MULTIPLY, 1);
    else
        WITH(LEAK_MULTIPLY, 0);
}

static void begin(const settings *s, const real *start, int64_t first, real *restrict v, int64_t n)
{
    if (start)
        memcpy(v, start + first, n * sizeof(real));
    else
        EACH v[i] = (real)s->start;
}

/* Large pages for a large new result: without them, most of the time goes into page faults. */
static void expect_writes(real *to, int64_t count)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 1 << 21, end = (uintptr_t)(to + count) & ~(page - 1);
    const uintptr_t begin = ((uintptr_t)to + page - 1) & ~(page - 1);
    if (end > begin + page)
        madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)to, (void)count;
#endif
}

void forward(const settings *s, const real *x, const real *start, real *spikes, real *last)
{
    const int64_t blocks = (s->size + BLOCK - 1) / BLOCK;
    expect_writes(spikes, s->steps * s->size);
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(s->threads) if (s->threads > 1)
#endif
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t first = block * BLOCK, left = s->size - first, n = left < BLOCK ? left : BLOCK;
        real v[BLOCK];
        begin(s, start, first, v, n);
        for (int64_t t = 0; t < s->steps; t++)
            step(s, 0, x + t * s->x_step + first, v, spikes + t * s->size + first, n);
        memcpy(last + first, v, n * sizeof(real));
    }
}

/* How numbers lie in memory outside of this file; mirrored by `Stored` in inference.py. */
enum stored { AS_REAL, BFLOAT16 };

static void load(int stored, const void *from, int64_t first, real *restrict to, int64_t n)
{
    if (stored == BFLOAT16) {
        const uint16_t *const half = (const uint16_t *)from + first;
        EACH {
            const uint32_t bits = (uint32_t)half[i] << 16;
            float value;
            memcpy(&value, &bits, sizeof value);
            to[i] = value;
        }
    } else {
        memcpy(to, (const real *)from + first, n * sizeof(real));
    }
}

static void store(int stored, const real *restrict spikes, void *to, int64_t first, int64_t n)
{
    if (stored == BFLOAT16) {
        uint16_t *const half = (uint16_t *)to + first;
        EACH half[i] = spikes[i] != 0 ? 0x3f80 : 0;
    } else {
        memcpy((real *)to + first, spikes, n * sizeof(real));
    }
}

/* Spikes alone, for inference from one membrane `s->start`. They may take the place of the currents
   (`x == spikes`, same kind of number, `x_step == size`); `x_step` 0 is one current at each step. */
void emit(const settings *s, int32_t x_stored, int32_t spikes_stored, const void *x, void *spikes)
{
    const int64_t blocks = (s->size + BLOCK - 1) / BLOCK;
    if (x != spikes && spikes_stored == AS_REAL)
        expect_writes(spikes, s->steps * s->size);
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(s->threads) if (s->threads > 1)
#endif
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t first = block * BLOCK, left = s->size - first, n = left < BLOCK ? left : BLOCK;
        real v[BLOCK], current[BLOCK], spike[BLOCK];
        begin(s, NULL, first, v, n);
        for (int64_t t = 0; t < s->steps; t++) {
            load(x_stored, x, t * s->x_step + first, current, n);
            step(s, 0, current, v, spike, n);
            store(spikes_stored, spike, spikes, t * s->size + first, n);
        }
    }
}

#ifdef REAL_IS_FLOAT
/* e^x to two units in the last place, in steps that compilers turn into vector code: x = k ln 2 + r
   with |r| <= ln 2 / 2 (k by adding 1.5 * 2^23, ln 2 in two parts), a Taylor polynomial in r. */
static inline real exponential(real x)
{
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float shifted = x * 1.44269504f + 12582912.0f, k = shifted - 12582912.0f;
    const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (int32_t)(((uint32_t)bits - 0x4b400000u + 127u) << 23);
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}
#define ABS fabsf
#else
#define exponential exp
#define ABS fabs
#endif

/* g = derivative of the surrogate function at h - threshold. */
static void slope(const settings *s, const real *restrict h, real *restrict g, int64_t n)
{
    const double pi = 3.14159265358979323846;
    const real threshold = (real)s->threshold, alpha = (real)s->alpha, one = 1;
    EACH g[i] = h[i] - threshold;
    if (s->slope == SIGMOID) {
        EACH {
            const real y = one / (one + exponential(-(alpha * g[i])));
            g[i] = (one - y) * y * alpha;
        }
    } else if (s->slope == ATAN) {
        const real width = (real)(pi / 2 * s->alpha), half = (real)(s->alpha / 2);
        EACH {
            const real z = g[i] * width;
            g[i] = half / (one + z * z);
        }
    } else if (s->slope == PIECEWISE_QUADRATIC) {
        const real square = (real)(s->alpha * s->alpha);
        EACH {
            const real z = alpha - square * ABS(g[i]);
            g[i] = z < 0 ? 0 : z;
        }
    } else if (s->slope == PIECEWISE_EXP) {
        const real half = (real)(s->alpha / 2);
        EACH g[i] = half * exponential(-(alpha * ABS(g[i])));
    } else if (s->slope == SOFT_SIGN) {
        const real offset = (real)(1 / s->alpha), twice = (real)(2 * s->alpha);
        EACH {
            const real z = offset + ABS(g[i]);
            g[i] = one / (twice * z * z);
        }
    } else if (s->slope == SUPER_SPIKE) {
        EACH {
            const real z = one + ABS(g[i]);
            g[i] = alpha / (z * z);
        }
    } else {
        const real height = (real)(s->alpha / sqrt(pi));
        EACH {
            const real z = alpha * g[i];
            g[i] = height * exponential(-(z * z));
        }
    }
}

/* Back through one step, with g the surrogate's slope: dh = ds g + dv d(reset)/dh, then
   dx = d(charge)/dx dh and dv = d(charge)/dv dh. */
static inline __attribute__((always_inline)) void
retreat(const settings *s, int soft, int detach, const real *restrict h, const real *restrict g,
        const real *restrict ds, real *restrict dv, real *restrict dh, real *restrict dx, int64_t n)
{
    const real threshold = (real)s->threshold, reset = (real)s->reset;
    const double rate = s->charge == LEAK_DIVIDE ? 1 / s->leak : s->leak;
    const int leaks = s->charge != INTEGRATE;
    const real scale = leaks && s->decay_input ? (real)rate : 1, keep = leaks ? (real)(1 - rate) : 1;
    EACH {
        const real silent = h[i] >= threshold ? (real)0 : (real)1;
        real passed;
        if (soft)
            passed = detach ? (real)1 : 1 - threshold * g[i];
        else
            passed = detach ? silent : silent + (reset - h[i]) * g[i];
        dh[i] = ds[i] * g[i] + dv[i] * passed;
        dx[i] = dh[i] * scale;
        dv[i] = dh[i] * keep;
    }
}

static void step_back(const settings *s, const real *h, const real *g, const real *ds, real *dv,
                      real *dh, real *dx, int64_t n)
{
    if (s->soft_reset && s->detach_reset)
        retreat(s, 1, 1, h, g, ds, dv, dh, dx, n);
    else if (s->soft_reset)
        retreat(s, 1, 0, h, g, ds, dv, dh, dx, n);
    else if (s->detach_reset)
        retreat(s, 0, 1, h, g, ds, dv, dh, dx, n);
    else
        retreat(s, 0, 0, h, g, ds, dv, dh, dx, n);
}

/* Sum of dh d(charge)/d(leak) of one step, for LEAK_MULTIPLY. `v` is the membrane before it. */
static double through_leak(const settings *s, const real *restrict x, const real *restrict v,
                           const real *restrict dh, int64_t n)
{
    const real rest = s->soft_reset ? 0 : (real)s->reset;
    double sum = 0;
    if (s->decay_input)
        EACH sum += (double)dh[i] * (x[i] - (v[i] - rest));
    else
        EACH sum -= (double)dh[i] * (v[i] - rest);
    return sum;
}

/* The membrane is computed again from the input, which costs less than writing and reading it.
   `dspikes`, `dlast`, `dstart` and `dleak` (one sum for each block) may be NULL. Returns 0, or 1 if
   there was no memory for a block. */
int32_t backward(const settings *s, const real *x, const real *start, const real *dspikes,
                 const real *dlast, real *dx, real *dstart, double *dleak)
{
    const int64_t blocks = (s->size + BLOCK - 1) / BLOCK, steps = s->steps;
    static const real none[BLOCK];
    int32_t failed = 0;
    expect_writes(dx, steps * s->size);
#ifdef _OPENMP
#pragma omp parallel num_threads(s->threads) if (s->threads > 1) reduction(| : failed)
#endif
    {
        /* Membranes before (v) and after charging (h), of all steps. */
        real *const all = malloc((2 * steps + 1) * BLOCK * sizeof(real));
        failed |= all == NULL;
#ifdef _OPENMP
#pragma omp for schedule(static)
#endif
        for (int64_t block = 0; block < blocks; block++) {
            if (all == NULL)
                continue;
            const int64_t first = block * BLOCK, left = s->size - first;
            const int64_t n = left < BLOCK ? left : BLOCK;
            const real *const xs = x + first;
            real *const h = all, *const v = all + steps * BLOCK;
            real g[BLOCK], dh[BLOCK], dv[BLOCK];
            double sum = 0;
            begin(s, start, first, v, n);
            for (int64_t t = 0; t < steps; t++) {
                real *const now = dleak ? v + (t + 1) * BLOCK : v;
                if (dleak)
                    memcpy(now, now - BLOCK, n * sizeof(real));
                step(s, 1, xs + t * s->x_step, now, h + t * BLOCK, n);
            }
            if (dlast)
                memcpy(dv, dlast + first, n * sizeof(real));
            else
                memset(dv, 0, n * sizeof(real));
            for (int64_t t = steps - 1; t >= 0; t--) {
                const int64_t at = t * s->size + first;
                slope(s, h + t * BLOCK, g, n);
                step_back(s, h + t * BLOCK, g, dspikes ? dspikes + at : none, dv, dh, dx + at, n);
                if (dleak)
                    sum += through_leak(s, xs + t * s->x_step, v + t * BLOCK, dh, n);
            }
            if (dstart)
                memcpy(dstart + first, dv, n * sizeof(real));
            if (dleak)
                dleak[block] = sum;
        }
        free(all);
    }
    return failed;
}
