/* A library to preload: the nth write, fsync, rename or making of a file fails.  BADIO=CALL:N:ERRNO, as in write:2:28; an
 * errno of 0 makes a write short instead.  Only regular files count, so that messages get through. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls;

/* This call is the one: *why is its errno. */
static bool fails(const char *call, int *why) {
  char name[16];
  int nth;
  const char *rule = getenv("BADIO");
  if (rule == NULL || sscanf(rule, "%15[a-z]:%d:%d", name, &nth, why) != 3 || strcmp(name, call) != 0) return false;
  return ++calls == nth;
}

static bool is_regular(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

ssize_t write(int fd, const void *data, size_t len) {
  ssize_t (*next)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))real("write");
  int why;
  if (!is_regular(fd) || !fails("write", &why)) return next(fd, data, len);
  if (why == 0) return next(fd, data, (len + 1) / 2);
  errno = why;
  return -1;
}

static ssize_t put_at(const char *name, int fd, const void *data, size_t len, off_t at) {
  ssize_t (*next)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))real(name);
  int why;
  if (!is_regular(fd) || !fails("write", &why)) return next(fd, data, len, at);
  if (why == 0) return next(fd, data, (len + 1) / 2, at);
  errno = why;
  return -1;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return put_at("pwrite", fd, data, len, at); }
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) { return put_at("pwrite64", fd, data, len, at); }

int fsync(int fd) {
  int (*next)(int) = (int (*)(int))real("fsync");
  int why;
  if (!is_regular(fd) || !fails("fsync", &why)) return next(fd);
  errno = why;
  return -1;
}

int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *) = (int (*)(const char *, const char *))real("rename");
  int why;
  if (!fails("rename", &why)) return next(from, to);
  errno = why;
  return -1;
}

static int make(const char *name, const char *path, int flags, mode_t mode) {
  int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))real(name);
  int why;
  if ((flags & O_CREAT) == 0 || !fails("open", &why)) return next(path, flags, mode);
  errno = why;
  return -1;
}

int open(const char *path, int flags, ...) {
  va_list ap;
  va_start(ap, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
  va_end(ap);
  return make("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list ap;
  va_start(ap, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
  va_end(ap);
  return make("open64", path, flags, mode);
}
