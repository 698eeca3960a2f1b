/* Fuzz target: any file as a source of weights: found, renamed, and every tensor made fit for use. */
#include <stdint.h>

#include "frontend/raw.h"
#include "frontend/weights.h"
#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch_weights(tsr_weights *w, tsr_errrec *e) {
  for (size_t i = 0; i < w->count; i++) {
    tsr_weight *x = &w->items[i];
    tsr_tensor *cooked = NULL;
    size_t at;
    if (!tsr_weights_find(w, x->name, strlen(x->name), &at) || at != i || x->first > i) abort();
    if (x->t == NULL || !tsr_weight_has_data(x) || x->t->numel > 1 << 24) continue;
    if (tsr_tensor_cook(w->mem, e, x->t, &cooked) != TSR_OK) continue;
    if (cooked->layout == 0 && cooked->storage->raw != 0) abort();
    touch_all(w->mem, tsr_from_obj(cooked));
    tsr_obj_release(cooked);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *rules[] = {"^([a-z]+)\\.=\\1/"};
  tsr_weights_options opt = {.struct_size = sizeof opt, .renames = rules, .rename_count = 1};
  tsr_errrec e = {0};
  tsr_archive *a = NULL;
  tsr_weights *w = NULL;
  if (size == 0 || size > 1 << 16) return 0;
  uint8_t *copy = malloc(size); /* of exactly this size, so that what reads past it is seen */
  if (copy == NULL) return 0;
  memcpy(copy, data, size);
  const char *key = copy[size - 1] == 'k' ? "model_state_dict" : copy[size - 1] == 'a' ? "a.0.b" : NULL;
  if (tsr_archive_open_memory(copy, size, &e, &a) == TSR_OK && tsr_weights_new("fuzzed", &e, &w) == TSR_OK &&
      tsr_weights_read(w, &e, a, key) == TSR_OK) {
    touch_weights(w, &e);
    tsr_weights_rename(w, &e, &opt);
  }
  tsr_weights_free(w);
  tsr_archive_release(a);
  tsr_errrec_dispose(&e);
  free(copy);
  return 0;
}
