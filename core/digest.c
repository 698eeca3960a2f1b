#include "core/digest.h"

#define LANES 8 /* chains of multiplications that do not wait for each other */

static const uint64_t odd = 0x9e3779b97f4a7c15u;

static uint64_t turn(uint64_t x, int by) { return x << by | x >> (64 - by); }

static inline void block(uint64_t lane[LANES], const unsigned char *p) {
  uint64_t w[LANES];
  memcpy(w, p, sizeof w);
#pragma GCC unroll 8
  for (int i = 0; i < LANES; i++) lane[i] = turn(lane[i] ^ w[i], 29) * odd;
}

static uint64_t stir(uint64_t x) {
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
  x = (x ^ x >> 29) * odd;
  return x ^ x >> 32;
}

void tsr_digest_add(tsr_digest *d, const void *data, size_t len) {
  const unsigned char *p = data;
  uint64_t lane[LANES];
  unsigned char rest[8 * LANES] = {0};
  size_t at = 0;
#pragma GCC unroll 8
  for (int i = 0; i < LANES; i++) lane[i] = (d->a + (uint64_t)i) * odd ^ d->b;
  for (; at + sizeof rest <= len; at += sizeof rest) block(lane, p + at);
  if (at < len) memcpy(rest, p + at, len - at);
  block(lane, rest);
  uint64_t a = stir(d->a ^ len), b = stir(d->b + len);
  for (int i = 0; i < LANES; i++) {
    a = stir(a ^ lane[i]);
    b = stir(turn(b, 17) + lane[i] * odd);
  }
  *d = (tsr_digest){a, b};
}
