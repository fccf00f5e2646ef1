/* All time steps of Lava's fixed-point neuron in one pass over memory.

   Currents are whole numbers in float, |a| < 2^24, `steps` times a dense run of `size` numbers; the
   steps lie `x_step` numbers apart. Spikes are bytes, `[steps, size]`. A block of neurons is worked
   through all its steps while its state stays in the first cache. All arithmetic is that of
   `LavaLIF`, in int32 (the decay by other than a power of two in int64), so it is exact. */

#include <stdint.h>
#include <string.h>

/* Defined by neuron.py: BLOCK. */
#define STATE_LIMIT (1 << 23)
#define DECAY_BITS 12
#define EACH for (int64_t i = 0; i < n; i++)

/* Mirrored by `Settings` in neuron.py. What is kept of a state is `kept` / 4096, or its high bits
   beyond `halvings` where that is not negative. Biases and limits
   have `period` numbers each and repeat. */
typedef struct {
    int64_t steps, size, period, x_step;
    int32_t kept_u, kept_v, halvings_v, shift, threads;
} settings;

/* x kept / 4096, rounded towards zero. */
static inline int32_t decayed(int32_t x, int32_t kept)
{
    return (int32_t)((int64_t)x * kept / (1 << DECAY_BITS));
}

/* x / 2^n, rounded towards zero. */
static inline int32_t halved(int32_t x, int32_t halvings)
{
    return (x + ((x >> 31) & ((1 << halvings) - 1))) >> halvings;
}

static inline __attribute__((always_inline)) void
step(const settings *s, int remembers_u, int halves_v, const float *restrict x,
     const int32_t *restrict bias, const int32_t *restrict limit, int32_t *restrict u,
     int32_t *restrict v, uint8_t *restrict spikes, int64_t n)
{
    const int32_t kept_u = s->kept_u, kept_v = s->kept_v, halvings = s->halvings_v;
    const int32_t scale = 1 << s->shift;
    EACH {
        int32_t now = (int32_t)x[i] * scale;
        if (remembers_u)
            now += decayed(u[i], kept_u);
        now = now > STATE_LIMIT ? now - 2 * STATE_LIMIT : now;
        now = now <= -STATE_LIMIT ? now + 2 * STATE_LIMIT : now;
        if (remembers_u)
            u[i] = now;
        int32_t h = (halves_v ? halved(v[i], halvings) : decayed(v[i], kept_v)) + now + bias[i];
        h = h > STATE_LIMIT - 1 ? STATE_LIMIT - 1 : h < 1 - STATE_LIMIT ? 1 - STATE_LIMIT : h;
        const int32_t fired = h > limit[i];
        v[i] = fired ? 0 : h;
        spikes[i] = (uint8_t)fired;
    }
}

static void one_block(const settings *s, const float *x, const int32_t *bias, const int32_t *limit,
                      uint8_t *spikes, int64_t n)
{
    int32_t u[BLOCK], v[BLOCK];
    memset(u, 0, sizeof u);
    memset(v, 0, sizeof v);
    for (int64_t t = 0; t < s->steps; t++, x += s->x_step, spikes += s->size) {
        if (s->kept_u && s->halvings_v >= 0)
            step(s, 1, 1, x, bias, limit, u, v, spikes, n);
        else if (s->kept_u)
            step(s, 1, 0, x, bias, limit, u, v, spikes, n);
        else if (s->halvings_v >= 0)
            step(s, 0, 1, x, bias, limit, u, v, spikes, n);
        else
            step(s, 0, 0, x, bias, limit, u, v, spikes, n);
    }
}

void neurons(const settings *s, const float *x, const int32_t *bias, const int32_t *limit,
             uint8_t *spikes)
{
    const int64_t in_period = (s->period + BLOCK - 1) / BLOCK;
    const int64_t periods = (s->size + s->period - 1) / s->period;
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(s->threads) if (s->threads > 1)
#endif
    for (int64_t block = 0; block < periods * in_period; block++) {
        const int64_t phase = block % in_period * BLOCK;
        const int64_t first = block / in_period * s->period + phase;
        int64_t n = s->period - phase < BLOCK ? s->period - phase : BLOCK;
        if (s->size - first < n)
            n = s->size - first;
        if (n > 0)
            one_block(s, x + first, bias + phase, limit + phase, spikes + first, n);
    }
}
