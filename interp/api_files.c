/* Public reading and writing of files of values. */
#include "frontend/files.h"

#include "interp/api.h"

static tsr_status wrap(tsr_errrec *e, tsr_val v, tsr_types *types, tsr_value **out, tsr_error **err) {
  *out = tsr_value_wrap_take(v, NULL, types);
  if (*out == NULL) {
    tsr_fail_nomem(e);
    return tsr_errrec_publish(e, err);
  }
  return TSR_OK;
}

tsr_status tsr_value_load(const char *path, const char *format, tsr_value **out, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_mem *mem = tsr_mem_new(0);
  tsr_types *types = tsr_types_new();
  tsr_val v = tsr_none();
  if (path == NULL || out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_value_load: path and out must not be NULL");
  else if (mem == NULL || types == NULL) tsr_fail_nomem(&e);
  else tsr_file_load(&(tsr_file_env){mem, types, &e}, path, format, &v);
  tsr_status s = e.status == TSR_OK ? wrap(&e, v, types, out, err) : tsr_errrec_publish(&e, err);
  if (types != NULL) tsr_types_release(types);
  tsr_mem_close(mem);
  return s;
}

tsr_status tsr_value_save(const tsr_value *v, const char *path, const char *format, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_mem *mem = tsr_mem_new(0);
  if (v == NULL || path == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_value_save: value and path must not be NULL");
  else if (mem == NULL) tsr_fail_nomem(&e);
  else tsr_file_save(&(tsr_file_env){mem, v->types, &e}, path, format, v->v);
  tsr_mem_close(mem);
  return e.status == TSR_OK ? TSR_OK : tsr_errrec_publish(&e, err);
}

tsr_status tsr_value_parse_json(const char *text, size_t len, tsr_value **out, tsr_error **err) {
  tsr_errrec e = {0};
  tsr_mem *mem = tsr_mem_new(0);
  tsr_types *types = tsr_types_new();
  tsr_val v = tsr_none();
  if (text == NULL || out == NULL) tsr_fail(&e, TSR_EUSAGE, "tsr_value_parse_json: text and out must not be NULL");
  else if (mem == NULL || types == NULL) tsr_fail_nomem(&e);
  else tsr_json_parse(&(tsr_file_env){mem, types, &e}, text, len, &v);
  tsr_status s = e.status == TSR_OK ? wrap(&e, v, types, out, err) : tsr_errrec_publish(&e, err);
  if (types != NULL) tsr_types_release(types);
  tsr_mem_close(mem);
  return s;
}
