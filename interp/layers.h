/* The layers of torch.nn as TorchScript: what a pickled module's code would have said.
 *
 * A pickled module holds attributes and weights, no code.  For classes of torch.nn whose forward is the same in
 * every release, a row gives that forward over the attributes, and the compiler does the rest. */
#ifndef TSR_INTERP_LAYERS_H
#define TSR_INTERP_LAYERS_H

#include <stddef.h>

typedef struct tsr_layer {
  const char *name;    /* class, without "torch.nn.modules." */
  const char *when;    /* attribute that must be true for this row to be the one; NULL: always */
  /* Attributes the code reads, "name:kind" or "name:kind=default" (when an old file lacks it), space between:
   *   T tensor · i int · f float · b bool · s string · n int or float · i2 list of two ints (from one or two) ·
   *   f* list of any length · p2 the same as i2, or the words "same" and "valid" (also declares NAME_same : bool) ·
   *   a2 list of two ints where None becomes -1 · a final ? allows None */
  const char *attributes;
  const char *forward; /* one function, "def forward(self, ...)"; NULL: written from the children (pickled.c) */
} tsr_layer;

extern const tsr_layer tsr_layers[]; /* ends with name == NULL; rows of one class in the order they are tried */
#define TSR_LAYERS_QUALIFIER "__torch__.layers"
extern const char tsr_layers_helpers[]; /* functions the rows call, of that qualifier */

#endif
