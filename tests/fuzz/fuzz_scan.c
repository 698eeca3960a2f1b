/* Fuzz target: any file, through the scanner. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frontend/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[40];
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  for (int json = 0; json < 2; json++) {
    tsr_errrec e = {0};
    tsr_buf out = {0};
    size_t suspicious = 0;
    if (tsr_scan_file(path, json, &e, &out, &suspicious) == TSR_OK && out.len == 0) abort();
    tsr_buf_dispose(&out);
    tsr_errrec_dispose(&e);
  }
  close(fd);
  return 0;
}
