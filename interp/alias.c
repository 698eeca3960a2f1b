/* Analysis of writes. */
#include "interp/alias.h"

#include <stdlib.h>

#include "interp/emit_impl.h" /* tsr_grow */
#include "interp/program.h"

void tsr_writes_dispose(tsr_writes *w) {
  tsr_ptrset_dispose(&w->slots);
  tsr_ptrset_dispose(&w->set_slots);
  tsr_ptrset_dispose(&w->names);
  tsr_ptrset_dispose(&w->consts);
  tsr_ptrset_dispose(&w->storages);
}

/* ---- attributes ---- */

static bool has_name(const tsr_ptrset *names, const char *name) {
  for (size_t i = 0; i < names->cap; i++)
    if (names->slots[i] != NULL && strcmp(names->slots[i], name) == 0) return true;
  return false;
}

static void add_slot(tsr_writes *w, const tsr_ir_node *n, bool set) {
  const tsr_class *cls = n->in[0]->type->kind == TSR_T_CLASS ? n->in[0]->type->cls : NULL;
  if (cls == NULL || n->slot >= cls->attr_count) {
    if (n->name == NULL) w->anything = true;
    else if (!has_name(&w->names, n->name)) tsr_ptrset_add(&w->names, n->name);
    return;
  }
  tsr_ptrset_add(&w->slots, &cls->attr_names[n->slot]);
  if (set) tsr_ptrset_add(&w->set_slots, &cls->attr_names[n->slot]);
}

bool tsr_writes_sets_slot(const tsr_writes *w, const tsr_class *cls, uint32_t slot) {
  return w->anything || w->set_slots.oom || w->names.oom || tsr_ptrset_has(&w->set_slots, &cls->attr_names[slot]) ||
         has_name(&w->names, cls->attr_names[slot]);
}

bool tsr_writes_has_slot(const tsr_writes *w, const tsr_class *cls, uint32_t slot) {
  return tsr_writes_sets_slot(w, cls, slot) || w->slots.oom || tsr_ptrset_has(&w->slots, &cls->attr_names[slot]);
}

static const tsr_type *find_class(const tsr_type *t, uint32_t *index) {
  if (t->kind == TSR_T_CLASS && t->cls != NULL) return (*index)-- == 0 ? t : NULL;
  const tsr_type *found = NULL;
  for (uint32_t i = 0; t->kind == TSR_T_TUPLE && i < t->count && found == NULL; i++) found = find_class(t->args[i], index);
  return found;
}

const tsr_type *tsr_ir_sorted_class(const tsr_ir_node *n, uint32_t index) {
  if (n->kind != TSR_IR_OP || n->schema == NULL) return NULL;
  if (strcmp(n->schema->name, "aten::sort") != 0 && strcmp(n->schema->name, "aten::sorted") != 0) return NULL;
  const tsr_type *t = n->nin > 0 ? n->in[0]->type : NULL;
  return t != NULL && t->kind == TSR_T_LIST ? find_class(t->args[0], &index) : NULL;
}

static void add_sets_block(tsr_writes *w, const tsr_ir_block *b, tsr_ptrset *seen) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    if (n->kind == TSR_IR_SETATTR) add_slot(w, n, true);
    if (n->callee != NULL) tsr_writes_add_sets(w, n->callee, seen);
    const tsr_type *sorted;
    for (uint32_t k = 0; (sorted = tsr_ir_sorted_class(n, k)) != NULL; k++) {
      const tsr_ir_fn *less = tsr_class_method(sorted->cls, "__lt__");
      if (less != NULL) tsr_writes_add_sets(w, less, seen);
    }
    for (uint32_t k = 0; k < n->nblocks; k++) add_sets_block(w, n->blocks[k], seen);
  }
}

void tsr_writes_add_sets(tsr_writes *w, const tsr_ir_fn *fn, tsr_ptrset *seen) {
  if (fn->lowered && tsr_ptrset_add(seen, fn)) add_sets_block(w, fn->body, seen);
}

/* ---- following a written value back to where it comes from ---- */

/* A worklist, not recursion: chains of operators are as long as the program. */
typedef struct tracer {
  tsr_writes *w;
  tsr_ptrset *marked;
  const tsr_ir_value **todo; uint32_t ntodo, todo_cap;
} tracer;

static bool may_alias(const tsr_type *t) {
  switch (t->kind) {
    case TSR_T_INT: case TSR_T_FLOAT: case TSR_T_BOOL: case TSR_T_COMPLEX: case TSR_T_NUMBER: case TSR_T_STR: case TSR_T_NONE:
    case TSR_T_DEVICE:
      return false;
    default: return true;
  }
}

/* Operators that may return an operand itself although their schema does not say so. */
static bool returns_operand(const tsr_schema *s) {
  static const char *const names[] = {
      "aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout", "aten::type_as",
      "aten::atleast_1d", "aten::atleast_2d", "aten::atleast_3d", "aten::broadcast_tensors", "aten::meshgrid", "aten::sum_to_size",
      "aten::to_dense", "aten::einsum", "aten::cartesian_prod", "aten::_unwrap_optional", "aten::to", "aten::contiguous",
      "aten::reshape", "aten::dequantize", "aten::cpu", "aten::cuda", "aten::resolve_conj", "aten::resolve_neg", "aten::coalesce",
      "aten::pin_memory", "aten::as_tensor", "aten::result", "aten::linalg_multi_dot", "aten::chain_matmul", "aten::real",
      "aten::wait", "aten::type", "aten::float", "aten::double", "aten::half", "aten::long", "aten::int"};
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (strcmp(s->name, names[i]) == 0) return true;
  return false;
}

static void trace(tracer *t, const tsr_ir_value *v) {
  if (!may_alias(v->type) || !tsr_ptrset_add(t->marked, v)) return;
  if (tsr_grow((void **)&t->todo, &t->todo_cap, t->ntodo + 1, sizeof *t->todo)) t->todo[t->ntodo++] = v;
  else t->w->anything = true;
}

static void trace_inputs(tracer *t, const tsr_ir_node *n) {
  for (uint32_t i = 0; i < n->nin; i++) trace(t, n->in[i]);
}

/* Result `index` of an operator: the operands that share its alias set, containers for what comes out of containers. */
static void trace_op(tracer *t, const tsr_ir_node *n, const tsr_ir_value *v) {
  const tsr_schema *s = n->schema;
  if (s == NULL) {
    trace_inputs(t, n);
    return;
  }
  uint32_t index = 0;
  while (index < n->nout && n->out[index] != v) index++;
  bool annotated = index < s->ret_count && s->rets[index].alias != 0 && s->rets[index].alias != '*';
  bool wide = v->type->kind != TSR_T_TENSOR || returns_operand(s) || s->vararg || s->varret;
  for (uint32_t i = 0; i < n->nin; i++) {
    bool named = i < s->param_count && s->params[i].alias != 0;
    bool container = n->in[i]->type->kind != TSR_T_TENSOR && may_alias(n->in[i]->type);
    bool takes_container = i < s->param_count && (s->params[i].type->kind == TSR_T_VAR || container);
    bool out_of_container = index < s->ret_count && s->rets[index].alias == '*';
    if (wide || (annotated && named) || (out_of_container && takes_container)) trace(t, n->in[i]);
  }
}

static void trace_param(tracer *t, const tsr_ir_value *v) {
  const tsr_ir_node *owner = v->block->owner;
  if (owner == NULL || owner->kind != TSR_IR_LOOP) return; /* the caller's: passing it to the call marked it */
  for (uint32_t i = 1; i < v->block->nparams; i++) {
    if (v->block->params[i] != v) continue;
    trace(t, owner->in[i + 1]);
    trace(t, v->block->rets[i]);
  }
}

static void trace_blocks(tracer *t, const tsr_ir_node *n, const tsr_ir_value *v) {
  uint32_t index = 0, offset = n->kind == TSR_IR_LOOP ? 1 : 0;
  while (index < n->nout && n->out[index] != v) index++;
  for (uint32_t k = 0; k < n->nblocks; k++)
    if (index + offset < n->blocks[k]->nrets) trace(t, n->blocks[k]->rets[index + offset]);
  if (offset != 0 && index + 2 < n->nin) trace(t, n->in[index + 2]);
}

static void trace_origin(tracer *t, const tsr_ir_value *v) {
  const tsr_ir_node *n = v->def;
  if (n == NULL) {
    trace_param(t, v);
    return;
  }
  switch (n->kind) {
    case TSR_IR_CONST:
      if (tsr_is_boxed(n->val)) tsr_ptrset_add(&t->w->consts, n->val.o);
      break;
    case TSR_IR_GETATTR:
      if (n->out[0]->type->kind != TSR_T_CLASS && n->out[0]->type->kind != TSR_T_INTERFACE) add_slot(t->w, n, false);
      break;
    case TSR_IR_IF: case TSR_IR_LOOP: case TSR_IR_WITH: case TSR_IR_FORK: trace_blocks(t, n, v); break;
    case TSR_IR_OP: trace_op(t, n, v); break;
    case TSR_IR_TUPLE: case TSR_IR_LIST: case TSR_IR_DICT: case TSR_IR_TUPLE_GET: case TSR_IR_TUPLE_UNPACK: case TSR_IR_LIST_UNPACK:
    case TSR_IR_CAST: case TSR_IR_UNWRAP: case TSR_IR_CLOSURE:
      trace_inputs(t, n);
      break;
    default: break; /* results of calls: their arguments are marked where they are passed */
  }
}

static void drain(tracer *t) {
  while (t->ntodo > 0) trace_origin(t, t->todo[--t->ntodo]);
}

/* ---- where writes happen ---- */

/* Running statistics that the schema does not declare as written. */
static bool writes_silently(const tsr_ir_node *n, uint32_t i) {
  static const struct { const char *name; uint32_t first, last, flag; } rows[] = {
      {"aten::batch_norm", 3, 4, 5}, {"aten::native_batch_norm", 3, 4, 5}, {"aten::cudnn_batch_norm", 3, 4, 5},
      {"aten::miopen_batch_norm", 3, 4, 5}, {"aten::_batch_norm_impl_index", 3, 4, 5}, {"aten::instance_norm", 3, 4, 5}};
  for (size_t k = 0; k < TSR_COUNT(rows); k++) {
    if (i < rows[k].first || i > rows[k].last || strcmp(n->schema->name, rows[k].name) != 0 || rows[k].flag >= n->nin) continue;
    const tsr_ir_value *flag = n->in[rows[k].flag];
    return flag->def == NULL || flag->def->kind != TSR_IR_CONST || flag->def->val.tag != TSR_V_BOOL || flag->def->val.b;
  }
  return false;
}

static void visit_op(tracer *t, const tsr_ir_node *n) {
  const tsr_schema *s = n->schema;
  if (s == NULL) {
    trace_inputs(t, n);
    return;
  }
  bool stores = false; /* into a container or a module-like operand: what is stored can be reached from there */
  for (uint32_t i = 0; i < s->param_count && i < n->nin; i++)
    stores |= s->params[i].is_mut && s->params[i].type->kind != TSR_T_TENSOR;
  for (uint32_t i = 0; i < n->nin; i++) {
    bool mut = i < s->param_count && s->params[i].is_mut;
    bool kept = i < s->param_count && s->params[i].alias == '*';
    if (mut || kept || stores || writes_silently(n, i)) trace(t, n->in[i]);
  }
}

static void visit_block(tracer *t, const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    switch (n->kind) {
      case TSR_IR_OP: visit_op(t, n); break;
      case TSR_IR_SETATTR: trace(t, n->in[1]); break;
      case TSR_IR_CALL: case TSR_IR_CALL_METHOD: case TSR_IR_CALL_VALUE: case TSR_IR_FORK: case TSR_IR_CLOSURE: trace_inputs(t, n); break;
      default: break;
    }
    for (uint32_t k = 0; k < n->nblocks; k++) visit_block(t, n->blocks[k]);
  }
}

void tsr_writes_add_body(tsr_writes *w, const tsr_ir_fn *fn, tsr_ptrset *marked) {
  tsr_ptrset own = {0};
  tracer t = {.w = w, .marked = marked != NULL ? marked : &own};
  visit_block(&t, fn->body);
  for (uint32_t i = 0; i < fn->body->nrets; i++) trace(&t, fn->body->rets[i]);
  drain(&t);
  free(t.todo);
  if (t.marked->oom) w->anything = true;
  tsr_ptrset_dispose(&own);
}

/* ---- does a block write a tensor? ---- */

/* Tensors that operators in the block write; what a call does is not known. */
static void visit_tensor_writes(tracer *t, const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    switch (n->kind) {
      case TSR_IR_CALL: case TSR_IR_CALL_METHOD: case TSR_IR_CALL_VALUE: case TSR_IR_FORK: case TSR_IR_WITH: t->w->anything = true; break;
      case TSR_IR_OP:
        if (n->schema == NULL || tsr_ir_sorted_class(n, 0) != NULL) t->w->anything = true;
        for (uint32_t i = 0; n->schema != NULL && i < n->nin; i++) {
          const tsr_type *type = i < n->schema->param_count && n->schema->params[i].is_mut ? n->schema->params[i].type : NULL;
          if (writes_silently(n, i) || (type != NULL && type->kind == TSR_T_TENSOR)) trace(t, n->in[i]);
          else if (type != NULL && type->kind == TSR_T_LIST && type->args[0]->kind == TSR_T_TENSOR) t->w->anything = true;
        }
        break;
      default: break;
    }
    for (uint32_t k = 0; k < n->nblocks; k++) visit_tensor_writes(t, n->blocks[k]);
  }
}

/* A tensor whose memory can only be reached through values that are traced. */
static bool is_traceable(const tsr_ir_value *v) {
  if (v->type->kind != TSR_T_TENSOR) return false;
  if (v->def == NULL) return v->block->owner != NULL;
  return v->def->kind == TSR_IR_OP || v->def->kind == TSR_IR_IF || v->def->kind == TSR_IR_LOOP;
}

bool tsr_ir_block_spares(const tsr_ir_block *b, const tsr_ir_value *v) {
  tsr_writes w = {0}, other = {0};
  tsr_ptrset written = {0}, read = {0};
  tracer t = {.w = &w, .marked = &written}, u = {.w = &other, .marked = &read};
  visit_tensor_writes(&t, b);
  drain(&t);
  trace(&u, v);
  drain(&u);
  bool apart = !w.anything && !other.anything && !written.oom && !read.oom;
  for (size_t i = 0; i < written.cap && apart; i++) {
    const tsr_ir_value *at = written.slots[i];
    apart = at == NULL || (is_traceable(at) && !tsr_ptrset_has(&read, at));
  }
  free(t.todo);
  free(u.todo);
  tsr_ptrset_dispose(&written);
  tsr_ptrset_dispose(&read);
  tsr_writes_dispose(&w);
  tsr_writes_dispose(&other);
  return apart;
}

/* ---- bytes behind written slots ---- */

static void add_value(tsr_writes *w, tsr_val v, bool written, tsr_ptrset *seen, int depth) {
  if (!tsr_is_boxed(v)) return;
  if (depth > TSR_MAX_DEPTH) {
    w->anything = true;
    return;
  }
  switch (v.tag) {
    case TSR_V_TENSOR:
      if (written && v.t->storage != NULL) tsr_ptrset_add(&w->storages, v.t->storage);
      return;
    case TSR_V_LIST:
      for (size_t i = 0; i < v.l->len; i++) add_value(w, v.l->items[i], written, seen, depth + 1);
      return;
    case TSR_V_TUPLE:
      for (size_t i = 0; i < v.u->len; i++) add_value(w, v.u->items[i], written, seen, depth + 1);
      return;
    case TSR_V_DICT:
      for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1))
        add_value(w, v.m->entries[i].value, written, seen, depth + 1);
      return;
    case TSR_V_OBJECT:
      if (!tsr_ptrset_add(seen, v.o)) return;
      for (uint32_t i = 0; i < v.obj->count && i < v.obj->cls->attr_count; i++)
        add_value(w, v.obj->slots[i], tsr_writes_has_slot(w, v.obj->cls, i), seen, depth + 1);
      return;
    default: return;
  }
}

void tsr_writes_add_storages(tsr_writes *w, tsr_val root, bool written, tsr_ptrset *seen) { add_value(w, root, written, seen, 0); }

static bool touches(const tsr_writes *w, tsr_val v, int depth) {
  if (!tsr_is_boxed(v)) return false;
  if (depth > 64) return true;
  switch (v.tag) {
    case TSR_V_TENSOR: return v.t->storage != NULL && tsr_ptrset_has(&w->storages, v.t->storage);
    case TSR_V_LIST:
      for (size_t i = 0; i < v.l->len; i++)
        if (touches(w, v.l->items[i], depth + 1)) return true;
      return false;
    case TSR_V_TUPLE:
      for (size_t i = 0; i < v.u->len; i++)
        if (touches(w, v.u->items[i], depth + 1)) return true;
      return false;
    case TSR_V_DICT:
      for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1))
        if (touches(w, v.m->entries[i].value, depth + 1)) return true;
      return false;
    case TSR_V_OBJECT: return !v.obj->cls->is_custom;
    default: return false;
  }
}

bool tsr_writes_touch_value(const tsr_writes *w, tsr_val v) { return w->anything || w->storages.oom || touches(w, v, 0); }
