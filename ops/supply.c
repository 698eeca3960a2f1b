#include "ops/supply.h"

#include "ops/gemm.h"

tsr_supply tsr_supply_of(const tsr_ctx *ctx, const tsr_tensor *w) {
  tsr_supply s = {tsr_tensor_data_ro(w), NULL, w->numel / w->size[0]};
  for (uint32_t i = 0; i < ctx->maker_count; i++)
    if (ctx->makers[i].of == w->storage) s = (tsr_supply){NULL, &ctx->makers[i], s.length};
  return s;
}

tsr_status tsr_supply_all(tsr_ctx *ctx, const tsr_supply *s, int64_t rows, const float **out) {
  float *room = NULL;
  if (s->data == NULL) TSR_TRY(tsr_work(ctx, rows * s->length, &room));
  *out = tsr_supply_rows(s, 0, rows, room);
  return TSR_OK;
}
