/* The virtual machine's out-of-line parts: building and taking apart containers, type tests, raising. */
#include "interp/cycles.h"
#include "interp/program.h"
#include "interp/vm.h"

#include <stdlib.h>

tsr_val tsr_vm_operand(tsr_vm_site at, uint32_t i) {
  uint32_t o = at.code->operands[at.site->first + i];
  return (o & TSR_OPERAND_CONST) ? at.code->consts[o & TSR_OPERAND_INDEX] : at.regs[o & TSR_OPERAND_INDEX];
}

/* An operand as an owned value: a last use moves it out of its register. */
static tsr_val take_operand(tsr_vm_site at, uint32_t i) {
  uint32_t o = at.code->operands[at.site->first + i];
  if (o & TSR_OPERAND_CONST) return tsr_retain(at.code->consts[o & TSR_OPERAND_INDEX]);
  tsr_val *r = &at.regs[o & TSR_OPERAND_INDEX], v = *r;
  if (o & TSR_OPERAND_LAST) *r = tsr_none();
  else tsr_retain(v);
  return v;
}

tsr_status tsr_vm_bad_operand(tsr_vm *vm, const char *what, tsr_val v) {
  return tsr_fail(&vm->ctx->err, TSR_ERAISED, "expected %s but got %s", what, tsr_tag_name(v));
}

tsr_status tsr_vm_index_error(tsr_vm *vm) { return tsr_fail(&vm->ctx->err, TSR_ERAISED, "list index out of range"); }

static void free_error(void *data) {
  tsr_errrec_dispose(data);
  free(data);
}

tsr_status tsr_vm_catch(tsr_vm *vm, tsr_val *out) {
  tsr_errrec *e = calloc(1, sizeof *e);
  tsr_capsule *c = e != NULL ? tsr_capsule_new(vm->ctx->mem, TSR_CAPSULE_ERROR, e, free_error) : NULL;
  if (vm->npending == 0 || c == NULL) {
    free(e);
    return tsr_ctx_nomem(vm->ctx);
  }
  *e = vm->pending[--vm->npending].err;
  *out = tsr_from_obj(c);
  return TSR_OK;
}

tsr_status tsr_vm_dim_error(tsr_vm *vm, const tsr_tensor *t, int64_t dim) {
  int64_t wrapped;
  if (t->ndim != 0) return tsr_wrap_dim(vm->ctx, dim, t->ndim, &wrapped);
  return tsr_fail(&vm->ctx->err, TSR_ERAISED, "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
}

static bool is_number(tsr_val v) { return v.tag == TSR_V_INT || v.tag == TSR_V_FLOAT || v.tag == TSR_V_BOOL; }

tsr_status tsr_vm_check_arg(tsr_vm *vm, const tsr_callsite *s, uint32_t i, tsr_val v) {
  const tsr_param *p = &s->schema->params[i];
  if (p->type->kind == TSR_T_LIST && p->list_size > 0 && is_number(v)) return TSR_OK;
  if (tsr_val_is_instance(v, p->type)) return TSR_OK;
  tsr_buf text = {0};
  tsr_type_print(p->type, &text);
  tsr_status st = tsr_fail(&vm->ctx->err, TSR_ERAISED, "%s: expected a value of type '%s' for argument '%s' but instead found type '%s'",
                           s->schema->name, text.data != NULL ? text.data : "?", p->name, tsr_tag_name(v));
  tsr_buf_dispose(&text);
  return st;
}

static tsr_status boxed(tsr_vm *vm, void *object, tsr_val *out) {
  if (object == NULL) return tsr_ctx_nomem(vm->ctx);
  *out = tsr_from_obj(object);
  return TSR_OK;
}

/* ---- building ---- */

static tsr_status build_tuple(tsr_vm *vm, tsr_vm_site at, tsr_val *out) {
  const tsr_type *t = at.site->type;
  tsr_tuple *u = tsr_tuple_new(vm->ctx->mem, t != NULL && t->kind == TSR_T_NAMEDTUPLE ? t : NULL, at.site->nargs);
  if (u == NULL) return tsr_ctx_nomem(vm->ctx);
  for (uint32_t i = 0; i < at.site->nargs; i++) u->items[i] = take_operand(at, i);
  *out = tsr_from_obj(u);
  return TSR_OK;
}

static tsr_status build_list(tsr_vm *vm, tsr_vm_site at, tsr_val *out) {
  const tsr_type *t = at.site->type;
  tsr_list *l = tsr_list_new(vm->ctx->mem, t->kind == TSR_T_LIST ? t->args[0] : &tsr_type_any, at.site->nargs);
  if (l == NULL) return tsr_ctx_nomem(vm->ctx);
  for (uint32_t i = 0; i < at.site->nargs; i++) l->items[i] = take_operand(at, i);
  l->len = at.site->nargs;
  *out = tsr_from_obj(l);
  return TSR_OK;
}

static tsr_status build_dict(tsr_vm *vm, tsr_vm_site at, tsr_val *out) {
  const tsr_type *t = at.site->type;
  bool typed = t->kind == TSR_T_DICT;
  tsr_dict *d = tsr_dict_new(vm->ctx->mem, typed ? t->args[0] : &tsr_type_any, typed ? t->args[1] : &tsr_type_any);
  if (d == NULL) return tsr_ctx_nomem(vm->ctx);
  for (uint32_t i = 0; i + 1 < at.site->nargs; i += 2) {
    if (tsr_dict_set(d, tsr_vm_operand(at, i), tsr_retain(tsr_vm_operand(at, i + 1)))) continue;
    tsr_obj_release(d);
    return tsr_ctx_nomem(vm->ctx);
  }
  *out = tsr_from_obj(d);
  return TSR_OK;
}

static tsr_status build_closure(tsr_vm *vm, tsr_vm_site at, tsr_val *out) {
  tsr_func *f = tsr_func_new(vm->ctx->mem, at.site->fn, at.site->nargs);
  if (f == NULL) return tsr_ctx_nomem(vm->ctx);
  for (uint32_t i = 0; i < at.site->nargs; i++) f->captures[i] = take_operand(at, i);
  *out = tsr_from_obj(f);
  return TSR_OK;
}

static tsr_status build_new(tsr_vm *vm, const tsr_type *t, tsr_val *out) {
  if (t == NULL || t->cls == NULL)
    return tsr_fail(&vm->ctx->err, TSR_EUNSUPPORTED, "cannot create an object of class %s", t != NULL && t->name != NULL ? t->name : "?");
  return boxed(vm, tsr_object_new(vm->ctx->mem, t->cls, t->cls->attr_count), out);
}

/* Some value of the type; nesting is bounded by the type parser. */
static tsr_status build_default(tsr_vm *vm, const tsr_type *t, tsr_val *out) {
  tsr_mem *mem = vm->ctx->mem;
  const int64_t zero = 0;
  *out = tsr_none();
  switch (t->kind) {
    case TSR_T_INT: *out = tsr_int(0); return TSR_OK;
    case TSR_T_FLOAT: case TSR_T_NUMBER: *out = tsr_float(0); return TSR_OK;
    case TSR_T_BOOL: *out = tsr_bool(false); return TSR_OK;
    case TSR_T_DEVICE: *out = tsr_device_val((tsr_device){0, -1}); return TSR_OK;
    case TSR_T_COMPLEX: return boxed(vm, tsr_complex_new(mem, 0, 0), out);
    case TSR_T_STR: return boxed(vm, tsr_str_new(mem, "", 0), out);
    case TSR_T_TENSOR: return boxed(vm, tsr_tensor_new(mem, TSR_FLOAT32, 1, &zero), out);
    case TSR_T_LIST: return boxed(vm, tsr_list_new(mem, t->args[0], 0), out);
    case TSR_T_DICT: return boxed(vm, tsr_dict_new(mem, t->args[0], t->args[1]), out);
    case TSR_T_UNION: return tsr_type_accepts_none(t) ? TSR_OK : build_default(vm, t->args[0], out);
    case TSR_T_FUTURE: return build_default(vm, t->args[0], out);
    case TSR_T_ENUM:
      if (t->cls != NULL && t->cls->member_count > 0) return boxed(vm, tsr_enumval_new(mem, t->cls, 0), out);
      return TSR_OK;
    case TSR_T_TUPLE: case TSR_T_NAMEDTUPLE: {
      tsr_tuple *u = tsr_tuple_new(mem, t->kind == TSR_T_NAMEDTUPLE ? t : NULL, t->count);
      TSR_TRY(boxed(vm, u, out));
      for (uint32_t i = 0; i < t->count; i++) {
        tsr_status s = build_default(vm, t->args[i], &u->items[i]);
        if (s == TSR_OK) continue;
        tsr_obj_release(u);
        *out = tsr_none();
        return s;
      }
      return TSR_OK;
    }
    default: return TSR_OK; /* objects: None, refused by whoever reads an attribute */
  }
}

static tsr_status build(tsr_vm *vm, tsr_vm_site at, uint32_t op, tsr_val *out) {
  switch (op) {
    case TSR_BC_TUPLE: return build_tuple(vm, at, out);
    case TSR_BC_LIST: return build_list(vm, at, out);
    case TSR_BC_DICT: return build_dict(vm, at, out);
    case TSR_BC_CLOSURE: return build_closure(vm, at, out);
    case TSR_BC_UNINIT: return build_default(vm, at.site->type, out);
    default: return build_new(vm, at.site->type, out);
  }
}

tsr_status tsr_vm_build(tsr_vm *vm, tsr_vm_site at, uint32_t op, tsr_val *out) {
  TSR_TRY(build(vm, at, op, out));
  if (TSR_UNLIKELY(tsr_val_is_watched(*out)) && tsr_mem_cycles_due(vm->ctx->mem)) tsr_cycles_collect(vm->ctx->mem);
  return TSR_OK;
}

/* ---- taking apart ---- */

static void unpack_items(tsr_vm_site at, const tsr_val *items) {
  for (uint32_t i = 0; i < at.site->nrets; i++) {
    uint32_t o = at.code->operands[at.site->first + at.site->nargs + i];
    if (o != TSR_OPERAND_UNUSED) at.regs[o] = tsr_retain(items[i]);
  }
}

tsr_status tsr_vm_unpack(tsr_vm *vm, tsr_vm_site at, uint32_t op) {
  uint32_t n = at.site->nrets;
  tsr_val v = take_operand(at, 0);
  tsr_status s = TSR_OK;
  if (op == TSR_BC_TUPLE_UNPACK) {
    if (v.tag != TSR_V_TUPLE) s = tsr_vm_bad_operand(vm, "a tuple", v);
    else if (v.u->len != n) s = tsr_fail(&vm->ctx->err, TSR_ERAISED, "expected a tuple of %u values but got %zu", n, v.u->len);
    else unpack_items(at, v.u->items);
  } else {
    if (v.tag != TSR_V_LIST) s = tsr_vm_bad_operand(vm, "a list", v);
    else if (v.l->len != n)
      s = tsr_fail(&vm->ctx->err, TSR_ERAISED, "Expected %u elements in a list but found %zu", n, v.l->len);
    else unpack_items(at, v.l->items);
  }
  tsr_release(v);
  return s;
}

/* ---- tests ---- */

static tsr_status check_cast(tsr_vm *vm, const tsr_type *t, tsr_val v) {
  if (t == NULL || tsr_val_is_instance(v, t)) return TSR_OK;
  tsr_buf text = {0};
  tsr_type_print(t, &text);
  tsr_status s = tsr_fail(&vm->ctx->err, TSR_ERAISED, "expected a value of type '%s' but got '%s'", text.data != NULL ? text.data : "?", tsr_tag_name(v));
  tsr_buf_dispose(&text);
  return s;
}

static tsr_status find_child(tsr_vm *vm, tsr_vm_site at, tsr_val *out) {
  tsr_val container = tsr_vm_operand(at, 0), key = tsr_vm_operand(at, 1);
  uint32_t slot = 0;
  if (container.tag != TSR_V_OBJECT) return tsr_vm_bad_operand(vm, "a module", container);
  bool is_str = key.tag == TSR_V_STR;
  if (!is_str && key.tag != TSR_V_INT) return tsr_vm_bad_operand(vm, "an index or a name", key);
  if (!tsr_class_find_child(container.obj->cls, is_str ? 0 : key.i, is_str ? key.s->bytes : NULL, is_str ? key.s->len : 0, &slot) ||
      slot >= container.obj->count) {
    if (is_str) return tsr_fail(&vm->ctx->err, TSR_ERAISED, "KeyError: %.200s", key.s->bytes);
    return tsr_fail(&vm->ctx->err, TSR_ERAISED, "index %lld is out of range of the module container", (long long)key.i);
  }
  *out = tsr_retain(container.obj->slots[slot]);
  return TSR_OK;
}

tsr_status tsr_vm_test(tsr_vm *vm, tsr_vm_site at, uint32_t op, tsr_val *out) {
  tsr_val v = tsr_vm_operand(at, 0);
  switch (op) {
    case TSR_BC_ISINSTANCE: *out = tsr_bool(tsr_val_is_instance(v, at.site->type)); break;
    case TSR_BC_UNWRAP:
      if (v.tag == TSR_V_NONE) return tsr_fail(&vm->ctx->err, TSR_ERAISED, "Unwrapping null optional");
      *out = take_operand(at, 0);
      break;
    case TSR_BC_ITEM: return find_child(vm, at, out);
    default:
      if (tsr_val_error(v) != NULL) return tsr_errrec_copy(&vm->ctx->err, tsr_val_error(v)); /* a wait */
      TSR_TRY(check_cast(vm, at.site->type, v));
      *out = take_operand(at, 0);
  }
  return TSR_OK;
}

/* ---- failing ---- */

tsr_status tsr_vm_raise(tsr_vm *vm, tsr_vm_site at) {
  tsr_val message = tsr_vm_operand(at, 0), cls = at.site->nargs > 1 ? tsr_vm_operand(at, 1) : tsr_none();
  const char *text = message.tag == TSR_V_STR ? message.s->bytes : "";
  if (cls.tag != TSR_V_STR || cls.s->len == 0) return tsr_fail(&vm->ctx->err, TSR_ERAISED, "%s", text);
  tsr_status s = tsr_fail(&vm->ctx->err, TSR_ERAISED, "%s: %s", cls.s->bytes, text);
  tsr_errrec_set_class(&vm->ctx->err, cls.s->bytes);
  return s;
}

tsr_status tsr_vm_missing(tsr_vm *vm, const tsr_callsite *s) {
  return tsr_fail(&vm->ctx->err, TSR_EUNSUPPORTED, "operator %s is not supported", s->name != NULL ? s->name : "?");
}
