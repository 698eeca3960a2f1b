/* mutate CORPUS ROUNDS: every case's model cut short, with bits flipped, with length fields and opcodes replaced.
 * Whatever comes of it must be a result or an error with a message: no crash, no hang, no leak (the sanitizer build
 * looks).  The same mutations on every run. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "faults.h"

static uint64_t state;
static char current[1200];

static uint32_t next(uint32_t below) { /* xorshift */
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return below == 0 ? 0 : (uint32_t)(state % below);
}

static void on_signal(int number) {
  static const char text[] = " died by a signal or took more than 20 seconds\n";
  if (write(2, current, strlen(current)) < 0 || write(2, text, sizeof text - 1) < 0) _exit(3);
  signal(number, SIG_DFL);
  raise(number);
}

static size_t mutate(const bytes *from, unsigned char *to, uint32_t how) {
  static const uint32_t lengths[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu};
  size_t len = from->len;
  memcpy(to, from->data, len);
  if (how == 0) return next((uint32_t)len); /* cut short */
  for (uint32_t i = 0, n = 1 + next(4); i < n && len > 8; i++) {
    size_t at = next((uint32_t)(len - 4));
    uint32_t v = lengths[next(sizeof lengths / sizeof *lengths)];
    if (how == 1) to[at] ^= (unsigned char)(1u << next(8));
    else if (how == 2) memcpy(to + at, &v, 4);
    else to[at] = (unsigned char)next(256);
  }
  return len;
}

/* Checksums would catch nearly all of it: they are cleared, as an archive written without has them. */
static void clear_checksums(bytes *b) {
  for (size_t i = 0; i + 46 < b->len; i++) {
    if (b->data[i] != 'P' || b->data[i + 1] != 'K') continue;
    if (b->data[i + 2] == 1 && b->data[i + 3] == 2) memset(b->data + i + 16, 0, 4);
    if (b->data[i + 2] == 3 && b->data[i + 3] == 4) memset(b->data + i + 14, 0, 4);
    if (b->data[i + 2] == 7 && b->data[i + 3] == 8) memset(b->data + i + 4, 0, 4);
  }
}

static int try_case(const char *corpus, const char *name, int rounds, int *tried) {
  char path[1024];
  bytes from;
  tsr_value *args[8];
  snprintf(path, sizeof path, "%s/%s/inputs.pt", corpus, name);
  size_t n = read_inputs(path, args, 8);
  snprintf(path, sizeof path, "%s/%s/model.pt", corpus, name);
  if (!read_file(path, &from)) return 0;
  int bad = 0;
  clear_checksums(&from);
  unsigned char *copy = malloc(from.len + 1);
  for (int r = 0; r < rounds && from.len < 40000; r++) {
    tsr_error *err = NULL;
    snprintf(current, sizeof current, "%s, mutation %d", path, r);
    alarm(20);
    bytes file = {copy, mutate(&from, copy, (uint32_t)r % 4)};
    tsr_status st = load_and_run(file, args, n, &err);
    if (st != TSR_OK && (err == NULL || tsr_error_message(err)[0] == 0)) {
      fprintf(stderr, "%s: failed without a message\n", current);
      bad++;
    }
    tsr_error_free(err);
    ++*tried;
  }
  free(copy);
  free(from.data);
  for (size_t i = 0; i < n; i++) tsr_value_free(args[i]);
  return bad;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(int argc, char **argv) {
  char *names[2000];
  int count = 0, bad = 0, tried = 0, rounds = argc > 2 ? atoi(argv[2]) : 4;
  DIR *d = argc > 1 ? opendir(argv[1]) : NULL;
  const struct dirent *e;
  if (d == NULL) return 2;
  signal(SIGALRM, on_signal);
  signal(SIGSEGV, on_signal);
  signal(SIGABRT, on_signal);
  signal(SIGFPE, on_signal);
  while ((e = readdir(d)) != NULL && count < 2000)
    if (e->d_name[0] != '.') names[count++] = strdup(e->d_name);
  closedir(d);
  qsort(names, (size_t)count, sizeof *names, by_name);
  for (int i = 0; i < count; i++) {
    state = 88172645463325252u + (uint64_t)i; /* each case its own sequence, so that new cases change no other */
    bad += try_case(argv[1], names[i], rounds, &tried);
    free(names[i]);
  }
  printf("%d files tried, %d failed\n", tried, bad);
  return bad != 0;
}
