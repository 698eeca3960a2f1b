/* Atomic output files. */
#include "frontend/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontend/text.h"

static tsr_status fail_io(tsr_errrec *e, const tsr_outfile *o, const char *what) {
  char text[128];
  const char *why = strerror_r(errno, text, sizeof text);
  return tsr_fail(e, TSR_EIO, "cannot %s %s: %s", what,
                  o->to_stdout ? "stdout" : tsr_show(o->path, strlen(o->path)).text, why);
}

static void forget(tsr_outfile *o) {
  if (o->fd >= 0) close(o->fd);
  free(o->path);
  free(o->temp);
  *o = (tsr_outfile){.fd = -1};
}

/* A new file beside the target; its name is unique to this process and attempt. */
static tsr_status open_temp(tsr_outfile *o, tsr_errrec *e) {
  for (int attempt = 0; attempt < 100; attempt++) {
    free(o->temp);
    if (asprintf(&o->temp, "%s.%ld-%d.tmp", o->path, (long)getpid(), attempt) < 0) {
      o->temp = NULL;
      return tsr_fail_nomem(e);
    }
    o->fd = open(o->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (o->fd >= 0) return TSR_OK;
    if (errno != EEXIST && errno != EINTR) break;
  }
  tsr_status st = fail_io(e, o, "create");
  free(o->temp);
  o->temp = NULL;
  return st;
}

tsr_status tsr_outfile_open(tsr_outfile *o, tsr_errrec *e, const char *path) {
  struct stat s;
  *o = (tsr_outfile){.fd = -1, .path = strdup(path)};
  if (o->path == NULL) return tsr_fail_nomem(e);
  tsr_status st = TSR_OK;
  if (strcmp(path, "-") == 0) {
    o->to_stdout = true;
    o->fd = memfd_create("tsrun", MFD_CLOEXEC);
    if (o->fd < 0) st = fail_io(e, o, "write to");
  } else if (stat(path, &s) == 0 && !S_ISREG(s.st_mode)) {
    if (S_ISDIR(s.st_mode))
      errno = EISDIR;
    else
      o->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (o->fd < 0) st = fail_io(e, o, "write");
  } else {
    st = open_temp(o, e);
  }
  if (st != TSR_OK) forget(o);
  return st;
}

static bool write_all(int fd, const void *data, size_t len) {
  const char *p = data;
  while (len > 0) {
    ssize_t n = write(fd, p, TSR_MIN(len, (size_t)1 << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    p += n;
    len -= (size_t)n;
  }
  return true;
}

tsr_status tsr_outfile_write(tsr_outfile *o, tsr_errrec *e, const void *data, size_t len) {
  return write_all(o->fd, data, len) ? TSR_OK : fail_io(e, o, "write");
}

static bool copy_to_stdout(int fd) {
  char block[65536];
  off_t at = 0;
  for (;;) {
    ssize_t n = pread(fd, block, sizeof block, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    if (!write_all(STDOUT_FILENO, block, (size_t)n)) return false;
    at += n;
  }
}

/* The directory holds the name: it is synced, too.  Some file systems cannot, which is no failure. */
static void sync_directory(const char *path) {
  const char *slash = strrchr(path, '/');
  char *dir = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
  int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  free(dir);
}

tsr_status tsr_outfile_commit(tsr_outfile *o, tsr_errrec *e) {
  tsr_status st = TSR_OK;
  if (o->to_stdout) {
    if (!copy_to_stdout(o->fd)) st = fail_io(e, o, "write to");
  } else if (o->temp != NULL) {
    struct stat s;
    if (stat(o->path, &s) == 0) fchmod(o->fd, s.st_mode & 07777); /* an overwritten file keeps its mode */
    if (!o->no_sync && fsync(o->fd) != 0)
      st = fail_io(e, o, "write");
    else if (rename(o->temp, o->path) != 0)
      st = fail_io(e, o, "replace");
    if (st != TSR_OK) {
      tsr_outfile_abort(o);
      return st;
    }
    if (!o->no_sync) sync_directory(o->path);
  }
  forget(o);
  return st;
}

void tsr_outfile_abort(tsr_outfile *o) {
  if (o->temp != NULL) unlink(o->temp);
  forget(o);
}
