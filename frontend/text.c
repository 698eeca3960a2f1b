/* Texts from files in messages, and numbers as text without the process's locale. */
#include "frontend/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

size_t tsr_utf8_length(const char *s, size_t len) {
  const unsigned char *p = (const unsigned char *)s;
  if (len == 0) return 0;
  if (p[0] < 0x80) return 1;
  size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
  if (p[0] < 0xc2 || p[0] > 0xf4 || n > len) return 0;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if (p[0] == 0xe0 && p[1] < 0xa0) return 0; /* overlong */
  if (p[0] == 0xed && p[1] > 0x9f) return 0; /* surrogate */
  if (p[0] == 0xf0 && p[1] < 0x90) return 0;
  if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
  return n;
}

tsr_shown tsr_show(const char *s, size_t len) {
  tsr_shown out;
  size_t at = 0, i = 0;
  while (i < len) {
    size_t n = tsr_utf8_length(s + i, len - i);
    bool plain = n > 1 ? !(n == 2 && (unsigned char)s[i] == 0xc2 && (unsigned char)s[i + 1] < 0xa0)
                       : n == 1 && (unsigned char)s[i] >= 0x20 && s[i] != 0x7f;
    if (at + 4 > 120) {
      memcpy(out.text + at, "...", 3);
      at += 3;
      break;
    }
    if (plain) {
      memcpy(out.text + at, s + i, n);
      at += n;
      i += n;
    } else {
      at += (size_t)snprintf(out.text + at, 5, "\\x%02x", (unsigned)(unsigned char)s[i]);
      i++;
    }
  }
  out.text[at] = '\0';
  return out;
}

void tsr_buf_put_utf8(tsr_buf *b, uint32_t code) {
  if (code < 0x80) {
    tsr_buf_putc(b, (char)code);
  } else if (code < 0x800) {
    tsr_buf_putc(b, (char)(0xc0 | code >> 6));
    tsr_buf_putc(b, (char)(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    tsr_buf_putc(b, (char)(0xe0 | code >> 12));
    tsr_buf_putc(b, (char)(0x80 | (code >> 6 & 0x3f)));
    tsr_buf_putc(b, (char)(0x80 | (code & 0x3f)));
  } else {
    tsr_buf_putc(b, (char)(0xf0 | code >> 18));
    tsr_buf_putc(b, (char)(0x80 | (code >> 12 & 0x3f)));
    tsr_buf_putc(b, (char)(0x80 | (code >> 6 & 0x3f)));
    tsr_buf_putc(b, (char)(0x80 | (code & 0x3f)));
  }
}

tsr_shown tsr_show_bytes(uint64_t bytes) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  tsr_shown out;
  double x = (double)bytes;
  size_t u = 0;
  for (; x >= 999.5 && u + 1 < TSR_COUNT(unit); u++) x /= 1000; /* 999.9 kB are 1.00 MB */
  unsigned digits = u == 0 ? 0 : x < 9.995 ? 2 : x < 99.95, scale = digits == 2 ? 100 : digits == 1 ? 10 : 1;
  unsigned n = (unsigned)(x * scale + 0.5); /* by whole numbers: the locale may write a comma */
  if (digits == 0) snprintf(out.text, sizeof out.text, "%u %s", n, unit[u]);
  else snprintf(out.text, sizeof out.text, "%u.%0*u %s", n / scale, (int)digits, n % scale, unit[u]);
  return out;
}

bool tsr_text_to_double(const char *s, size_t len, double *out) {
  char small[64], *copy = len < sizeof small ? small : malloc(len + 1), *end;
  if (copy == NULL) return false;
  memcpy(copy, s, len);
  copy[len] = '\0';
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc: a static object, no allocation */
  bool ok = c != (locale_t)0 && len > 0;
  if (ok) {
    *out = strtod_l(copy, &end, c);
    ok = end == copy + len;
  }
  if (c != (locale_t)0) freelocale(c);
  if (copy != small) free(copy);
  return ok;
}

void tsr_buf_put_double(tsr_buf *b, double d, bool is_float32) {
  char text[40];
  if (isnan(d)) {
    tsr_buf_puts(b, "NaN");
    return;
  }
  if (isinf(d)) {
    tsr_buf_puts(b, d < 0 ? "-Infinity" : "Infinity");
    return;
  }
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t old = uselocale(c);
  int most = is_float32 ? 9 : 17;
  for (int digits = is_float32 ? 6 : 15; digits <= most; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, d);
    double back = strtod(text, NULL);
    if (is_float32 ? (float)back == (float)d : back == d) break;
  }
  uselocale(old);
  if (c != (locale_t)0) freelocale(c);
  tsr_buf_puts(b, text);
  if (strspn(text, "-0123456789") == strlen(text)) tsr_buf_puts(b, ".0");
}
