/* Runs a fuzz target over files and folders of inputs: the seeds are part of the ordinary tests. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

static void replay_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) return;
  uint8_t *data = malloc(1 << 24);
  size_t size = data == NULL ? 0 : fread(data, 1, 1 << 24, f);
  if (data != NULL) LLVMFuzzerTestOneInput(data, size);
  replayed += data != NULL;
  free(data);
  fclose(f);
}

static void replay(const char *path) {
  DIR *d = opendir(path);
  if (d == NULL) {
    replay_file(path);
    return;
  }
  for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
    char inner[4096];
    if (entry->d_name[0] == '.') continue;
    if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner) replay(inner);
  }
  closedir(d);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) replay(argv[i]);
  printf("%d inputs\n", replayed);
  return replayed > 0 ? 0 : 1;
}
