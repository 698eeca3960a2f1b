/* The dispatch loop, frames, unwinding. */
#include "interp/vm.h"
#include "interp/program.h"

#include <stdlib.h>

#define MAX_FRAMES TSR_MAX_DEPTH
#define MAX_REGISTERS ((size_t)1 << 26) /* 1 GiB of stack */
#define POLL_STEPS 8192                 /* instructions between two looks at limits */
#define SMALL_WINDOW 24

static tsr_status call_method(tsr_ctx *ctx, tsr_val self, const char *name, const tsr_val *args, uint32_t nargs, tsr_val *out);

void tsr_vm_init(tsr_vm *vm, tsr_ctx *ctx, const tsr_vm_hooks *hooks) {
  memset(vm, 0, sizeof *vm);
  vm->ctx = ctx;
  vm->hooks = *hooks;
  ctx->call_method = call_method;
  ctx->machine = vm;
}

void tsr_vm_dispose(tsr_vm *vm) {
  for (size_t i = 0; i < vm->top; i++) tsr_release(vm->stack[i]);
  for (size_t i = 0; i < vm->npending; i++) tsr_errrec_dispose(&vm->pending[i].err);
  tsr_free(vm->ctx->mem, vm->stack, vm->cap * sizeof *vm->stack);
  tsr_free(vm->ctx->mem, vm->frames, vm->frames_cap * sizeof *vm->frames);
  tsr_free(vm->ctx->mem, vm->pending, vm->pending_cap * sizeof *vm->pending);
  tsr_free(vm->ctx->mem, vm->window, vm->window_cap * sizeof *vm->window);
  memset(vm, 0, sizeof *vm);
}

/* Room for `need` items; false: out of memory. */
static bool reserve(tsr_vm *vm, void **array, size_t *cap, size_t need, size_t item) {
  if (need <= *cap) return true;
  size_t n = *cap < 64 ? 64 : *cap;
  while (n < need) n *= 2;
  void *grown = tsr_realloc(vm->ctx->mem, *array, *cap * item, n * item);
  if (grown == NULL) return false;
  *array = grown;
  *cap = n;
  return true;
}

/* ---- frames ---- */

/* A frame with its registers None and its constants in place.  Registers may move. */
static tsr_status push_frame(tsr_vm *vm, const tsr_bytecode *code, uint32_t result) {
  if (vm->nframes >= MAX_FRAMES || code->nregs > MAX_REGISTERS || vm->top > MAX_REGISTERS - code->nregs)
    return tsr_fail(&vm->ctx->err, TSR_ELIMIT, "call depth limit of %d reached", MAX_FRAMES);
  if (!reserve(vm, (void **)&vm->frames, &vm->frames_cap, vm->nframes + 1, sizeof *vm->frames) ||
      !reserve(vm, (void **)&vm->stack, &vm->cap, vm->top + code->nregs, sizeof *vm->stack))
    return tsr_ctx_nomem(vm->ctx);
  tsr_val *regs = vm->stack + vm->top;
  memset(regs, 0, code->nregs * sizeof *regs);
  for (uint32_t i = 0; i < code->nconstregs; i++) regs[code->constregs[i].reg] = code->consts[code->constregs[i].constant];
  vm->frames[vm->nframes++] = (tsr_frame){code, 0, result, vm->top};
  vm->top += code->nregs;
  return TSR_OK;
}

/* Release what the top frame still owns, errors that wait in it included. */
static void pop_frame(tsr_vm *vm) {
  const tsr_frame *f = &vm->frames[--vm->nframes];
  for (size_t i = f->base; i < vm->top; i++) tsr_release(vm->stack[i]);
  vm->top = f->base;
  while (vm->npending > 0 && vm->pending[vm->npending - 1].frame >= vm->nframes)
    tsr_errrec_dispose(&vm->pending[--vm->npending].err);
}

static const tsr_bytecode *code_of(tsr_vm *vm, const tsr_ir_fn *fn) {
  const tsr_bytecode *code = __atomic_load_n((tsr_bytecode *const *)&fn->code, __ATOMIC_ACQUIRE);
  return TSR_LIKELY(code != NULL) ? code : vm->hooks.compile(vm->hooks.user, &vm->ctx->err, (tsr_ir_fn *)fn);
}

static void clear_last(tsr_vm_site at) {
  const uint32_t *o = at.code->operands + at.site->first;
  for (uint32_t i = 0; i < at.site->nargs; i++) {
    if (!(o[i] & TSR_OPERAND_LAST)) continue;
    tsr_val *r = &at.regs[o[i] & TSR_OPERAND_INDEX];
    tsr_release(*r);
    *r = tsr_none();
  }
}

/* The function a call site reaches, and how many captured values come before its operands. */
static tsr_status find_callee(tsr_vm *vm, tsr_vm_site at, uint32_t op, const tsr_ir_fn **fn) {
  if (op == TSR_BC_CALL) {
    *fn = at.site->fn;
    return TSR_OK;
  }
  tsr_val v = tsr_vm_operand(at, 0);
  if (op == TSR_BC_CALL_VALUE) {
    if (v.tag != TSR_V_FUNC) return tsr_vm_bad_operand(vm, "a function", v);
    *fn = (const tsr_ir_fn *)v.f->code;
    return TSR_OK;
  }
  if (v.tag != TSR_V_OBJECT) return tsr_vm_bad_operand(vm, "an object", v);
  *fn = tsr_class_method(v.obj->cls, at.site->name);
  if (*fn != NULL) return TSR_OK;
  return tsr_fail(&vm->ctx->err, TSR_ERAISED, "class %s has no method '%s'", v.obj->cls->name, at.site->name);
}

/* Push the callee's frame and fill its parameters; the caller's registers may move. */
static tsr_status enter(tsr_vm *vm, const tsr_bytecode *code, const tsr_callsite *site, uint32_t op) {
  tsr_frame *caller = &vm->frames[vm->nframes - 1];
  tsr_vm_site at = {code, site, vm->stack + caller->base};
  const tsr_ir_fn *fn = NULL;
  TSR_TRY(find_callee(vm, at, op, &fn));
  const tsr_bytecode *callee = code_of(vm, fn);
  if (callee == NULL) return vm->ctx->err.status;
  const tsr_func *closure = op == TSR_BC_CALL_VALUE ? tsr_vm_operand(at, 0).f : NULL;
  uint32_t captured = closure != NULL ? closure->captured : 0, skip = closure != NULL ? 1 : 0;
  if (captured + site->nargs - skip != callee->nparams)
    return tsr_fail(&vm->ctx->err, TSR_ERAISED, "%s takes %u arguments but got %u", callee->name, callee->nparams, captured + site->nargs - skip);
  size_t base = caller->base;
  TSR_TRY(push_frame(vm, callee, site->nrets > 0 ? code->operands[site->first + site->nargs] : TSR_OPERAND_UNUSED));
  at.regs = vm->stack + base;
  tsr_val *params = vm->stack + vm->frames[vm->nframes - 1].base;
  for (uint32_t i = 0; i < captured; i++) params[i] = tsr_retain(closure->captures[i]);
  for (uint32_t i = skip; i < site->nargs; i++) {
    uint32_t o = code->operands[site->first + i];
    tsr_val *r = &at.regs[o & TSR_OPERAND_INDEX];
    if (o & TSR_OPERAND_CONST) params[captured + i - skip] = tsr_retain(code->consts[o & TSR_OPERAND_INDEX]);
    else if (o & TSR_OPERAND_LAST) {
      params[captured + i - skip] = *r;
      *r = tsr_none();
    } else params[captured + i - skip] = tsr_retain(*r);
  }
  clear_last(at);
  return TSR_OK;
}

/* ---- operators ---- */

static tsr_status run_op(tsr_vm *vm, tsr_vm_site at) {
  const tsr_callsite *s = at.site;
  const uint32_t *operands = at.code->operands + s->first;
  tsr_val small[SMALL_WINDOW], rets[8], *args = small;
  if (TSR_UNLIKELY(s->nargs > SMALL_WINDOW)) {
    if (!reserve(vm, (void **)&vm->window, &vm->window_cap, s->nargs, sizeof *vm->window)) return tsr_ctx_nomem(vm->ctx);
    args = vm->window;
  }
  if (TSR_UNLIKELY(s->nrets > TSR_COUNT(rets)))
    return tsr_fail(&vm->ctx->err, TSR_EINTERNAL, "%s has too many results", s->schema->name);
  tsr_status status = TSR_OK;
  for (uint32_t i = 0; i < s->nargs; i++) {
    uint32_t o = operands[i], index = o & TSR_OPERAND_INDEX;
    args[i] = (o & TSR_OPERAND_CONST) ? at.code->consts[index] : at.regs[index];
    if (TSR_UNLIKELY(args[i].tag != s->tags[i] && s->tags[i] != TSR_ANY_TAG) && status == TSR_OK)
      status = tsr_vm_check_arg(vm, s, i, args[i]);
  }
  for (uint32_t i = 0; i < s->nrets; i++) rets[i] = tsr_none();
  tsr_call call = {.ctx = vm->ctx, .op = s->op, .args = args, .nargs = s->nargs, .rets = rets, .nrets = s->nrets,
                   .moved = s->moved, .constant = s->constant, .site = (tsr_site *)&s->site};
  size_t base = vm->frames[vm->nframes - 1].base;
  double begun = TSR_UNLIKELY(vm->profile != NULL) ? tsr_clock_now() : 0;
  if (status == TSR_OK) status = tsr_call_run(&call);
  if (TSR_UNLIKELY(vm->profile != NULL) && status == TSR_OK) tsr_vm_profile(vm, &call, begun);
  if (TSR_UNLIKELY(status != TSR_OK)) tsr_trace_attach(vm, s, args);
  at.regs = vm->stack + base; /* an operator may have run a method: registers may have moved */
  clear_last(at);
  for (uint32_t i = 0; i < s->nrets; i++) {
    uint32_t o = operands[s->nargs + i];
    if (o == TSR_OPERAND_UNUSED || status != TSR_OK) tsr_release(rets[i]);
    else at.regs[o] = rets[i];
  }
  return status;
}

static tsr_status run_site(tsr_vm *vm, tsr_vm_site at, uint32_t op) {
  tsr_val out = tsr_none();
  tsr_status s = TSR_OK;
  switch (op) {
    case TSR_BC_TUPLE_UNPACK: case TSR_BC_LIST_UNPACK: s = tsr_vm_unpack(vm, at, op); break;
    case TSR_BC_CAST: case TSR_BC_UNWRAP: case TSR_BC_ISINSTANCE: case TSR_BC_ITEM: s = tsr_vm_test(vm, at, op, &out); break;
    case TSR_BC_RAISE: s = tsr_vm_raise(vm, at); break;
    case TSR_BC_MISSING: s = tsr_vm_missing(vm, at.site); break;
    default: s = tsr_vm_build(vm, at, op, &out); break;
  }
  clear_last(at);
  if (s != TSR_OK || at.site->nrets != 1 || op == TSR_BC_TUPLE_UNPACK || op == TSR_BC_LIST_UNPACK) return s;
  uint32_t o = at.code->operands[at.site->first + at.site->nargs];
  if (o == TSR_OPERAND_UNUSED) tsr_release(out);
  else at.regs[o] = out;
  return TSR_OK;
}

static tsr_status load_constant(tsr_vm *vm, uint32_t index, tsr_val *out) {
  if (index < vm->nconstants && vm->constants[index].tag != TSR_V_NONE) {
    *out = tsr_retain(vm->constants[index]);
    return TSR_OK;
  }
  tsr_val v = tsr_none();
  TSR_TRY(vm->hooks.constant(vm->hooks.user, &vm->ctx->err, index, &v));
  *out = tsr_retain(v);
  return TSR_OK;
}

/* ---- attributes and lists ---- */

static tsr_status get_attr(tsr_vm *vm, tsr_val object, uint32_t slot, tsr_val *out) {
  if (TSR_UNLIKELY(object.tag != TSR_V_OBJECT || slot >= object.obj->count)) return tsr_vm_bad_operand(vm, "an object", object);
  tsr_val v = object.obj->slots[slot];
  const tsr_class *cls = object.obj->cls;
  if (TSR_UNLIKELY(v.tag == TSR_V_NONE && slot < cls->attr_count && !tsr_type_accepts_none(cls->attr_types[slot])))
    return tsr_fail(&vm->ctx->err, TSR_ERAISED, "attribute '%s' of class %s is not set", cls->attr_names[slot], cls->name);
  *out = tsr_retain(v);
  return TSR_OK;
}

static tsr_status set_attr(tsr_vm *vm, tsr_val object, uint32_t slot, tsr_val *value) {
  if (TSR_UNLIKELY(object.tag != TSR_V_OBJECT || slot >= object.obj->count)) return tsr_vm_bad_operand(vm, "an object", object);
  if (TSR_UNLIKELY(object.obj->h.immortal)) return tsr_fail(&vm->ctx->err, TSR_EINTERNAL, "write to a shared object of the model");
  tsr_release(object.obj->slots[slot]);
  object.obj->slots[slot] = *value;
  *value = tsr_none();
  return TSR_OK;
}

static bool list_index(const tsr_list *l, int64_t i, size_t *out) {
  if (i < 0) i += (int64_t)l->len;
  *out = (size_t)i;
  return i >= 0 && (size_t)i < l->len;
}

static tsr_status list_set(tsr_vm *vm, tsr_val list, int64_t index, tsr_val v) {
  size_t at;
  if (TSR_UNLIKELY(list.tag != TSR_V_LIST)) return tsr_vm_bad_operand(vm, "a list", list);
  if (TSR_UNLIKELY(!list_index(list.l, index, &at))) return tsr_vm_index_error(vm);
  tsr_val old = list.l->items[at];
  list.l->items[at] = tsr_retain(v);
  tsr_release(old);
  return TSR_OK;
}

static tsr_status list_push(tsr_vm *vm, tsr_val list, tsr_val v_take) {
  if (TSR_UNLIKELY(list.tag != TSR_V_LIST)) {
    tsr_release(v_take);
    return tsr_vm_bad_operand(vm, "a list", list);
  }
  return TSR_LIKELY(tsr_list_push_take(list.l, v_take)) ? TSR_OK : tsr_ctx_nomem(vm->ctx);
}

static tsr_status tuple_get(tsr_vm *vm, tsr_val tuple, uint32_t slot, tsr_val *out) {
  if (TSR_UNLIKELY(tuple.tag != TSR_V_TUPLE)) return tsr_vm_bad_operand(vm, "a tuple", tuple);
  if (TSR_UNLIKELY(slot >= tuple.u->len)) return tsr_fail(&vm->ctx->err, TSR_ERAISED, "Tuple index out of range");
  *out = tsr_retain(tuple.u->items[slot]);
  return TSR_OK;
}

static tsr_status divide(tsr_vm *vm, bool remainder, int64_t a, int64_t b, int64_t *out) {
  if (TSR_UNLIKELY(b == 0)) return tsr_fail(&vm->ctx->err, TSR_ERAISED, remainder ? "integer modulo by zero" : "division by 0");
  if (b == -1) {
    *out = remainder ? 0 : (int64_t)(0 - (uint64_t)a);
    return TSR_OK;
  }
  int64_t q = a / b, r = a % b;
  /* PyTorch's formula of the remainder, which wraps around where b is beyond 2^62 */
  if (remainder) *out = (int64_t)((uint64_t)b + (uint64_t)r) % b;
  else *out = q - (r != 0 && (r < 0) != (b < 0));
  return TSR_OK;
}

/* ---- errors ---- */

/* Only errors of the program reach its handlers; limits and defects end the run. */
static bool is_catchable(tsr_status s) { return s == TSR_ERAISED || s == TSR_EUNSUPPORTED; }

static const tsr_handler *find_handler(const tsr_bytecode *code, uint32_t pc) {
  for (uint32_t i = 0; i < code->nhandlers; i++)
    if (pc >= code->handlers[i].begin && pc < code->handlers[i].end) return &code->handlers[i];
  return NULL;
}

static bool defer_error(tsr_vm *vm) {
  if (!reserve(vm, (void **)&vm->pending, &vm->pending_cap, vm->npending + 1, sizeof *vm->pending)) return false;
  vm->pending[vm->npending++] = (tsr_pending){vm->ctx->err, vm->nframes - 1};
  memset(&vm->ctx->err, 0, sizeof vm->ctx->err);
  return true;
}

static tsr_status take_pending(tsr_vm *vm) {
  if (vm->npending == 0) return tsr_fail(&vm->ctx->err, TSR_EINTERNAL, "no error is pending");
  tsr_errrec_dispose(&vm->ctx->err);
  vm->ctx->err = vm->pending[--vm->npending].err;
  return vm->ctx->err.status;
}

/* Unwind to the next handler above frame `floor`; true: the top frame's pc is set to it. */
static bool unwind(tsr_vm *vm, size_t floor, tsr_status status) {
  if (vm->ctx->err.status == TSR_OK) tsr_fail(&vm->ctx->err, status, "%s", tsr_status_name(status));
  tsr_trace_attach(vm, NULL, NULL);
  while (vm->nframes > floor) {
    tsr_frame *f = &vm->frames[vm->nframes - 1];
    const tsr_handler *h = is_catchable(status) ? find_handler(f->code, f->pc) : NULL;
    if (h != NULL && defer_error(vm)) {
      f->pc = h->target;
      return true;
    }
    pop_frame(vm);
  }
  return false;
}

/* ---- dispatch ---- */

static int64_t poll_budget(const tsr_ctx *ctx) {
  if (ctx->max_steps == 0) return POLL_STEPS;
  uint64_t left = ctx->max_steps > ctx->steps ? ctx->max_steps - ctx->steps : 0;
  return left < POLL_STEPS ? (int64_t)left : POLL_STEPS;
}

/* Operands of linked code: byte offsets of registers, byte distances of jumps. */
#define REG(field) ((tsr_val *)((char *)regs + (uint32_t)in->field))
#define A REG(a)
#define B REG(b)
#define C REG(c)
#define NEXT()                        \
  do {                                \
    in++;                             \
    goto *labels[in->op];             \
  } while (0)
#define GO(distance)                                            \
  do {                                                          \
    in = (const tsr_insn *)((const char *)in + (distance));     \
    goto *labels[in->op];                                       \
  } while (0)
/* A backward jump costs what it jumps over. */
#define GO_BACK(distance)                                       \
  do {                                                          \
    const tsr_insn *to_ = (const tsr_insn *)((const char *)in + (distance)); \
    budget -= in - to_ + 1;                                     \
    if (TSR_UNLIKELY(budget < 0)) {                             \
      resume = to_;                                             \
      goto poll;                                                \
    }                                                           \
    in = to_;                                                   \
    goto *labels[in->op];                                       \
  } while (0)
#define TRY(expr)                                \
  do {                                           \
    status = (expr);                             \
    if (TSR_UNLIKELY(status != TSR_OK)) goto fail; \
  } while (0)
/* Fields are written one by one: whoever reads a number soon after finds a store of the same width, which
 * processors forward at once; a value built elsewhere and copied as 16 bytes would wait for memory. */
#define SET_INT(x) do { int64_t x_ = (x); tsr_val *r_ = A; r_->i = x_; r_->tag = TSR_V_INT; } while (0)
#define SET_FLOAT(x) do { double x_ = (x); tsr_val *r_ = A; r_->d = x_; r_->tag = TSR_V_FLOAT; } while (0)
#define SET_BOOL(x) do { bool x_ = (x); tsr_val *r_ = A; r_->i = x_; r_->tag = TSR_V_BOOL; } while (0)
#define COPY_VAL(to, from) do { const tsr_val *f_ = (from); tsr_val *t_ = (to); uint8_t tag_ = f_->tag; t_->i = f_->i; t_->tag = tag_; } while (0)
#define INT_OP(name, expr) OP_##name: { int64_t x = B->i, y = C->i; SET_INT(expr); } NEXT();
#define INT_CMP(name, op) OP_##name: { SET_BOOL(B->i op C->i); } NEXT();
#define INT_JUMP(name, op) OP_##name: if (A->i op B->i) GO(in->c); NEXT();
#define FLOAT_OP(name, op) OP_##name: { SET_FLOAT(B->d op C->d); } NEXT();
#define FLOAT_JUMP(name, test) OP_##name: if (test) GO(in->c); NEXT();
#define FLOAT_CMP(name, op) OP_##name: { SET_BOOL(B->d op C->d); } NEXT();
#define WRAP(op) (int64_t)((uint64_t)x op (uint64_t)y)
/* Division: 32-bit operands that are not negative need neither the wide instruction nor corrections. */
#define SMALL(x) (((uint64_t)(x) >> 32) == 0)
#define INT_DIVIDE(name, remainder, op)                                                                            \
  OP_##name: {                                                                                                     \
    int64_t x = B->i, y = C->i, r;                                                                                 \
    if (TSR_LIKELY(SMALL(x | y) && y != 0)) r = (uint32_t)x op (uint32_t)y;                                        \
    else { r = 0; TRY(divide(vm, remainder, x, y, &r)); } /* = 0: some compilers cannot see that it is written */     \
    SET_INT(r);                                                                                                    \
  } NEXT();
/* By a constant: a multiplication with its reciprocal (see tsr_divisor). */
#define INT_DIVIDE_K(name, remainder, expr)                                                                        \
  OP_##name: {                                                                                                     \
    const tsr_divisor *k = &code->divisors[in->c];                                                                 \
    int64_t x = B->i, r;                                                                                           \
    if (TSR_LIKELY(SMALL(x))) r = (expr);                                                                          \
    else { r = 0; TRY(divide(vm, remainder, x, k->value, &r)); }                                                   \
    SET_INT(r);                                                                                                    \
  } NEXT();
#define HIGH(a, b) (int64_t)(uint64_t)(((unsigned __int128)(a) * (b)) >> 64)

/* Run frames above `floor` until the one at floor returns.  Long because every opcode is a label. */
static tsr_status dispatch(tsr_vm *vm, size_t floor, tsr_val *result) {
  static const void *const labels[TSR_BC_COUNT] = {
#define TSR_OPCODE(name, mnemonic, a, b, c, doc) &&OP_##name,
#include "interp/opcodes.def"
#undef TSR_OPCODE
  };
  const tsr_bytecode *code;
  const tsr_insn *in;
  tsr_val *regs;
  tsr_status status;
  int64_t start = poll_budget(vm->ctx), budget = start;
  const tsr_insn *resume;

enter_frame:
  code = vm->frames[vm->nframes - 1].code;
  regs = vm->stack + vm->frames[vm->nframes - 1].base;
  in = code->insns + vm->frames[vm->nframes - 1].pc;
  GO(0);

poll:
  vm->frames[vm->nframes - 1].pc = (uint32_t)(in - code->insns);
  TRY(tsr_ctx_poll(vm->ctx, (uint64_t)(start - budget)));
  start = budget = poll_budget(vm->ctx);
  in = resume;
  GO(0);

  OP_MOVE: { tsr_val *v = B; COPY_VAL(A, v); v->tag = TSR_V_NONE; } NEXT();
  OP_COPY: { const tsr_val *v = B; if (v->tag >= TSR_V_COMPLEX) tsr_obj_retain(v->o); COPY_VAL(A, v); } NEXT();
  OP_LOADK: COPY_VAL(A, &code->consts[in->b]); NEXT();
  OP_LOADC: TRY(load_constant(vm, (uint32_t)in->b, A)); NEXT();
  OP_DROP: { tsr_val *v = A; uint8_t tag = v->tag; v->tag = TSR_V_NONE; if (tag >= TSR_V_COMPLEX) tsr_obj_release(v->o); } NEXT();

  OP_JUMP: GO(in->a);
  OP_BACK: GO_BACK(in->a);
  OP_JTRUE: if (A->b) GO(in->c); NEXT();
  OP_JFALSE: if (!A->b) GO(in->c); NEXT();
  OP_BACKTRUE: if (A->b) GO_BACK(in->c); NEXT();
  OP_JNONE: if (A->tag == TSR_V_NONE) GO(in->c); NEXT();
  OP_JNOTNONE: if (A->tag != TSR_V_NONE) GO(in->c); NEXT();
  INT_JUMP(JEQ_I, ==) INT_JUMP(JNE_I, !=) INT_JUMP(JLT_I, <) INT_JUMP(JLE_I, <=) INT_JUMP(JGT_I, >) INT_JUMP(JGE_I, >=)
  FLOAT_JUMP(JEQ_F, A->d == B->d) FLOAT_JUMP(JNE_F, A->d != B->d) FLOAT_JUMP(JNLT_F, !(A->d < B->d))
  FLOAT_JUMP(JNLE_F, !(A->d <= B->d)) FLOAT_JUMP(JNGT_F, !(A->d > B->d)) FLOAT_JUMP(JNGE_F, !(A->d >= B->d))
  OP_FORLOOP: if (++A->i < B->i) GO_BACK(in->c); NEXT();

  INT_OP(ADD_I, WRAP(+)) INT_OP(SUB_I, WRAP(-)) INT_OP(MUL_I, WRAP(*))
  INT_OP(AND_I, x & y) INT_OP(OR_I, x | y) INT_OP(XOR_I, x ^ y) INT_OP(MIN_I, x < y ? x : y) INT_OP(MAX_I, x > y ? x : y)
  INT_CMP(EQ_I, ==) INT_CMP(NE_I, !=) INT_CMP(LT_I, <) INT_CMP(LE_I, <=) INT_CMP(GT_I, >) INT_CMP(GE_I, >=)
  INT_DIVIDE(FLOORDIV_I, false, /) INT_DIVIDE(MOD_I, true, %)
  INT_DIVIDE_K(FLOORDIV_K, false, HIGH(k->reciprocal, (uint64_t)x))
  INT_DIVIDE_K(MOD_K, true, HIGH(k->reciprocal * (uint64_t)x, (uint64_t)k->value))
  OP_NEG_I: SET_INT((int64_t)(0 - (uint64_t)B->i)); NEXT();
  OP_ITOF: SET_FLOAT((double)B->i); NEXT();
  FLOAT_OP(ADD_F, +) FLOAT_OP(SUB_F, -) FLOAT_OP(MUL_F, *) FLOAT_OP(DIV_F, /)
  FLOAT_CMP(EQ_F, ==) FLOAT_CMP(NE_F, !=) FLOAT_CMP(LT_F, <) FLOAT_CMP(LE_F, <=) FLOAT_CMP(GT_F, >) FLOAT_CMP(GE_F, >=)
  OP_NEG_F: SET_FLOAT(-B->d); NEXT();
  OP_NOT: SET_BOOL(!B->b); NEXT();
  OP_AND_B: SET_BOOL(B->b && C->b); NEXT();
  OP_OR_B: SET_BOOL(B->b || C->b); NEXT();
  OP_XOR_B: SET_BOOL(B->b != C->b); NEXT();
  OP_IS: SET_BOOL(tsr_val_identical(*B, *C)); NEXT();
  OP_ISNOT: SET_BOOL(!tsr_val_identical(*B, *C)); NEXT();

  OP_LIST_GET: {
    const tsr_val *l = B;
    uint64_t i = (uint64_t)C->i;
    if (TSR_UNLIKELY(l->tag != TSR_V_LIST)) TRY(tsr_vm_bad_operand(vm, "a list", *l));
    if ((int64_t)i < 0) i += l->l->len;
    if (TSR_UNLIKELY(i >= l->l->len)) TRY(tsr_vm_index_error(vm));
    const tsr_val *v = &l->l->items[i];
    if (v->tag >= TSR_V_COMPLEX) tsr_obj_retain(v->o);
    COPY_VAL(A, v);
  } NEXT();
  OP_LIST_SET: TRY(list_set(vm, *A, B->i, *C)); NEXT();
  OP_LIST_LEN: {
    const tsr_val *l = B;
    if (TSR_UNLIKELY(l->tag != TSR_V_LIST)) TRY(tsr_vm_bad_operand(vm, "a list", *l));
    SET_INT((int64_t)l->l->len);
  } NEXT();
  OP_LIST_HAS: {
    const tsr_val *l = B;
    bool found = false;
    if (TSR_UNLIKELY(l->tag != TSR_V_LIST)) TRY(tsr_vm_bad_operand(vm, "a list", *l));
    for (size_t i = 0; i < l->l->len && !found; i++) found = l->l->items[i].i == C->i;
    SET_BOOL(found);
  } NEXT();
  OP_LIST_APPEND: {
    const tsr_val *v = B;
    if (v->tag >= TSR_V_COMPLEX) tsr_obj_retain(v->o);
    tsr_list *l = A->l;
    if (TSR_LIKELY(A->tag == TSR_V_LIST && l->len < l->cap)) COPY_VAL(&l->items[l->len++], v);
    else TRY(list_push(vm, *A, *v));
  } NEXT();
  OP_LIST_PUSH: { tsr_val v = *B; B->tag = TSR_V_NONE; TRY(list_push(vm, *A, v)); } NEXT();
  OP_TENSOR_DIM: {
    const tsr_val *t = B;
    if (TSR_UNLIKELY(t->tag != TSR_V_TENSOR)) TRY(tsr_vm_bad_operand(vm, "a tensor", *t));
    SET_INT(t->t->ndim);
  } NEXT();
  OP_TENSOR_SIZE: {
    const tsr_val *t = B;
    uint64_t d = (uint64_t)C->i;
    if (TSR_UNLIKELY(t->tag != TSR_V_TENSOR)) TRY(tsr_vm_bad_operand(vm, "a tensor", *t));
    if ((int64_t)d < 0) d += t->t->ndim;
    if (TSR_UNLIKELY(d >= t->t->ndim)) TRY(tsr_vm_dim_error(vm, t->t, C->i));
    SET_INT(t->t->size[d]);
  } NEXT();
  OP_TUPLE_GET: TRY(tuple_get(vm, *B, (uint32_t)in->c, A)); NEXT();
  OP_GETATTR: TRY(get_attr(vm, *B, (uint32_t)in->c, A)); NEXT();
  OP_SETATTR: TRY(set_attr(vm, *A, (uint32_t)in->c, B)); NEXT();

  OP_OP:
    vm->frames[vm->nframes - 1].pc = (uint32_t)(in - code->insns);
    TRY(run_op(vm, (tsr_vm_site){code, &code->sites[in->a], regs}));
    regs = vm->stack + vm->frames[vm->nframes - 1].base;
    NEXT();
  OP_CALL: OP_CALL_METHOD: OP_CALL_VALUE:
    vm->frames[vm->nframes - 1].pc = (uint32_t)(in - code->insns);
    if (TSR_UNLIKELY(--budget < 0)) {
      TRY(tsr_ctx_poll(vm->ctx, (uint64_t)(start - budget)));
      start = budget = poll_budget(vm->ctx);
    }
    TRY(enter(vm, code, &code->sites[in->a], in->op));
    goto enter_frame;
  OP_NEW: OP_CLOSURE: OP_TUPLE: OP_LIST: OP_DICT: OP_TUPLE_UNPACK: OP_LIST_UNPACK: OP_CAST: OP_UNWRAP: OP_UNINIT:
  OP_ISINSTANCE: OP_ITEM: OP_RAISE: OP_MISSING:
    TRY(run_site(vm, (tsr_vm_site){code, &code->sites[in->a], regs}, in->op));
    NEXT();
  OP_RETURN: {
    tsr_val v = *A;
    *A = tsr_none();
    uint32_t to = vm->frames[vm->nframes - 1].result;
    pop_frame(vm);
    if (vm->nframes == floor) {
      *result = v;
      status = tsr_ctx_poll(vm->ctx, (uint64_t)(start - budget));
      if (status == TSR_OK) return TSR_OK;
      tsr_release(v);
      *result = tsr_none();
      return status;
    }
    tsr_frame *f = &vm->frames[vm->nframes - 1];
    if (to == TSR_OPERAND_UNUSED) tsr_release(v);
    else vm->stack[f->base + to] = v;
    f->pc++;
    goto enter_frame;
  }
  OP_CATCH: TRY(tsr_vm_catch(vm, A)); NEXT();
  OP_RERAISE:
    status = take_pending(vm);
    goto fail;

fail:
  vm->frames[vm->nframes - 1].pc = (uint32_t)(in - code->insns);
  if (unwind(vm, floor, status)) goto enter_frame;
  return status;
}

tsr_status tsr_vm_run(tsr_vm *vm, const tsr_bytecode *code, const tsr_val *args, uint32_t nargs, tsr_val *out) {
  *out = tsr_none();
  if (nargs != code->nparams)
    return tsr_fail(&vm->ctx->err, TSR_EUSAGE, "%s takes %u arguments but got %u", code->name, code->nparams, nargs);
  size_t floor = vm->nframes;
  TSR_TRY(push_frame(vm, code, TSR_OPERAND_UNUSED));
  tsr_val *params = vm->stack + vm->frames[floor].base;
  for (uint32_t i = 0; i < nargs; i++) params[i] = tsr_retain(args[i]);
  return dispatch(vm, floor, out);
}

/* Whether fn compares two objects of its class: (self, other) -> bool. */
static bool compares(const tsr_ir_fn *fn, const tsr_type *t) {
  const tsr_schema *s = fn->schema;
  return s->param_count == 2 && tsr_type_equal(s->params[0].type, t) && tsr_type_equal(s->params[1].type, t) && s->ret_count == 1 &&
         s->rets[0].type->kind == TSR_T_BOOL;
}

/* For operators that run methods, which are comparisons.  An error has its traceback already. */
static tsr_status call_method(tsr_ctx *ctx, tsr_val self, const char *name, const tsr_val *args, uint32_t nargs, tsr_val *out) {
  tsr_vm *vm = ctx->machine;
  tsr_val all[4];
  if (self.tag != TSR_V_OBJECT || nargs >= TSR_COUNT(all)) return tsr_vm_bad_operand(vm, "an object", self);
  const tsr_ir_fn *fn = tsr_class_method(self.obj->cls, name);
  const char *cls = self.obj->cls->name;
  if (fn == NULL || !compares(fn, self.obj->cls->type))
    return tsr_fail(&ctx->err, TSR_ERAISED, "To sort a list of %s it must define a %s method with two inputs of type %s that returns a bool", cls, name, cls);
  const tsr_bytecode *code = code_of(vm, fn);
  if (code == NULL) return ctx->err.status;
  all[0] = self;
  for (uint32_t i = 0; i < nargs; i++) all[i + 1] = args[i];
  return tsr_vm_run(vm, code, all, nargs + 1, out);
}
