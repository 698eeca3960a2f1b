/* Emission: blocks, registers and last uses.
 *
 * Every value belongs to the block where it dies at the latest: the one that defines it or, when its
 * last use lies inside both arms of an If, each arm.  A register freed inside an arm by a value from
 * outside is reused only after the If, so that the other arm still finds it. */
#include "interp/emit_impl.h"

#include <stdlib.h>

#define MAX_INSNS ((uint32_t)INT32_MAX / (uint32_t)sizeof(tsr_insn)) /* distances of jumps are in bytes */

bool tsr_grow(void **array, uint32_t *cap, uint32_t need, size_t item) {
  if (need <= *cap) return true;
  uint32_t n = *cap < 16 ? 16 : *cap;
  while (n < need) {
    if (n > UINT32_MAX / 2) return false;
    n *= 2;
  }
  void *grown = realloc(*array, n * item);
  if (grown == NULL) return false;
  memset((char *)grown + *cap * item, 0, (n - *cap) * item);
  *array = grown;
  *cap = n;
  return true;
}

void tsr_emit_fail(emitter *m, tsr_status status) {
  if (m->status != TSR_OK) return;
  m->status = status;
  if (status == TSR_ENOMEM) tsr_fail_nomem(m->e);
}

#define GROW(m, array, cap, need) \
  (tsr_grow((void **)&(array), &(cap), (need), sizeof *(array)) || (tsr_emit_fail((m), TSR_ENOMEM), false))

uint32_t tsr_emit_insn(emitter *m, tsr_opcode op, uint32_t a, uint32_t b, uint32_t c) {
  tsr_bytecode *k = m->code;
  uint32_t cap = m->insns_cap;
  if (k->ninsns >= MAX_INSNS) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return 0;
  }
  if (!GROW(m, k->insns, m->insns_cap, k->ninsns + 1)) return 0;
  if (m->insns_cap != cap) {
    const tsr_loc **locs = realloc(k->locs, m->insns_cap * sizeof *locs);
    if (locs == NULL) {
      m->insns_cap = cap; /* the larger block is used again by the next call */
      tsr_emit_fail(m, TSR_ENOMEM);
      return 0;
    }
    k->locs = locs;
  }
  k->insns[k->ninsns] = (tsr_insn){op, (int32_t)a, (int32_t)b, (int32_t)c};
  k->locs[k->ninsns] = m->loc;
  return k->ninsns++;
}

/* ---- registers ---- */

uint32_t tsr_emit_reg_new(emitter *m) {
  if (m->nfree > 0) return m->free_regs[--m->nfree];
  return m->code->nregs++;
}

void tsr_emit_reg_free(emitter *m, uint32_t reg) {
  if (!GROW(m, m->free_regs, m->free_cap, m->nfree + 1)) return;
  m->free_regs[m->nfree++] = reg;
}

/* ---- constants ---- */

bool tsr_emit_is_const(const tsr_ir_value *v) { return v->def != NULL && v->def->kind == TSR_IR_CONST; }

bool tsr_val_is_mutable(tsr_val v) {
  switch (v.tag) {
    case TSR_V_TENSOR: case TSR_V_LIST: case TSR_V_DICT: case TSR_V_OBJECT: case TSR_V_CAPSULE: case TSR_V_GENERATOR:
      return true;
    case TSR_V_TUPLE:
      for (size_t i = 0; i < v.u->len; i++)
        if (tsr_val_is_mutable(v.u->items[i])) return true;
      return false;
    default: return false;
  }
}

bool tsr_emit_needs_session(const tsr_ir_value *v) {
  return tsr_emit_is_const(v) && v->def->slot != TSR_CONST_SHARED && tsr_val_is_mutable(v->def->val);
}

static bool const_same(tsr_val a, tsr_val b) { return a.tag == b.tag && a.i == b.i; }

static uint64_t const_hash(tsr_val v) {
  uint64_t h = (uint64_t)v.i * 0x9e3779b97f4a7c15u + v.tag;
  return h ^ (h >> 29);
}

static bool const_index_grow(emitter *m) {
  uint32_t cap = m->const_index_cap == 0 ? 64 : m->const_index_cap * 2;
  uint32_t *index = calloc(cap, sizeof *index);
  if (index == NULL) return false;
  for (uint32_t i = 0; i < m->code->nconsts; i++) {
    uint64_t h = const_hash(m->code->consts[i]);
    while (index[h & (cap - 1)] != 0) h++;
    index[h & (cap - 1)] = i + 1;
  }
  free(m->const_index);
  m->const_index = index;
  m->const_index_cap = cap;
  return true;
}

uint32_t tsr_emit_const(emitter *m, tsr_val v) {
  tsr_bytecode *k = m->code;
  if (!tsr_is_boxed(v) && v.tag == TSR_V_BOOL) v = tsr_bool(v.b); /* defined padding: bits are compared */
  if (k->nconsts * 2 >= m->const_index_cap && !const_index_grow(m)) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return 0;
  }
  uint64_t h = const_hash(v), mask = m->const_index_cap - 1;
  for (; m->const_index[h & mask] != 0; h++)
    if (const_same(k->consts[m->const_index[h & mask] - 1], v)) return m->const_index[h & mask] - 1;
  if (!GROW(m, k->consts, m->consts_cap, k->nconsts + 1)) return 0;
  m->const_index[h & mask] = k->nconsts + 1;
  k->consts[k->nconsts] = v;
  return k->nconsts++;
}

uint32_t tsr_emit_divisor(emitter *m, int64_t value) {
  tsr_bytecode *k = m->code;
  for (uint32_t i = 0; i < k->ndivisors && i < 64; i++)
    if (k->divisors[i].value == value) return i;
  if (!GROW(m, k->divisors, m->divisors_cap, k->ndivisors + 1)) return 0;
  k->divisors[k->ndivisors] = (tsr_divisor){UINT64_MAX / (uint64_t)value + 1, value};
  return k->ndivisors++;
}

uint32_t tsr_emit_constreg(emitter *m, tsr_val v) {
  tsr_bytecode *k = m->code;
  uint32_t index = tsr_emit_const(m, v);
  for (uint32_t i = k->nconstregs; i-- > 0 && k->nconstregs - i < 64;)
    if (k->constregs[i].constant == index) return k->constregs[i].reg;
  if (!GROW(m, k->constregs, m->constregs_cap, k->nconstregs + 1)) return 0;
  uint32_t reg = k->nregs++; /* never from the free list: it is written before everything else */
  k->constregs[k->nconstregs++] = (tsr_constreg){reg, index};
  return reg;
}

/* ---- values ---- */

value_info *tsr_emit_info(emitter *m, const tsr_ir_value *v) { return &m->vals[v->id]; }

bool tsr_emit_may_hold_reference(const tsr_type *t) {
  switch (t->kind) {
    case TSR_T_INT: case TSR_T_FLOAT: case TSR_T_BOOL: case TSR_T_NONE: case TSR_T_DEVICE: return false;
    default: return true;
  }
}

static void own(emitter *m, const tsr_ir_value *v, const tsr_ir_block *b) {
  value_info *i = tsr_emit_info(m, v);
  i->owner = b;
  i->last = POS_NEVER;
  i->nested_at = POS_NEVER;
  i->cleared = false;
  i->stays = false;
  i->left = 0;
  i->boxed = tsr_emit_may_hold_reference(v->type);
}

bool tsr_emit_dies(emitter *m, const tsr_ir_value *v) {
  const value_info *i = tsr_emit_info(m, v);
  return i->owner == m->block && i->last == m->pos && i->nested_at != m->pos && !i->cleared;
}

uint32_t tsr_emit_def(emitter *m, const tsr_ir_value *v) {
  value_info *i = tsr_emit_info(m, v);
  if (i->reg == NO_REG) i->reg = i->home != NO_REG ? i->home : tsr_emit_reg_new(m);
  return i->reg;
}

void tsr_emit_load(emitter *m, uint32_t reg, const tsr_ir_value *v, bool move) {
  if (tsr_emit_needs_session(v)) {
    uint32_t index = 0;
    tsr_status s = m->env->session_const(m->env->user, m->e, v->def->val, &index);
    if (s != TSR_OK) tsr_emit_fail(m, s);
    tsr_emit_insn(m, TSR_BC_LOADC, reg, index, 0);
    return;
  }
  if (tsr_emit_is_const(v)) {
    tsr_emit_insn(m, TSR_BC_LOADK, reg, tsr_emit_const(m, v->def->val), 0);
    return;
  }
  value_info *i = tsr_emit_info(m, v);
  if (i->reg == reg) return;
  tsr_emit_insn(m, move && i->boxed ? TSR_BC_MOVE : TSR_BC_COPY, reg, i->reg, 0);
  if (move) i->cleared = true;
}

uint32_t tsr_emit_site_new(emitter *m, uint32_t nargs, uint32_t nrets) {
  tsr_bytecode *k = m->code;
  uint32_t n = nargs + nrets;
  if (n < nargs || n > TSR_OPERAND_INDEX - k->noperands || !GROW(m, k->sites, m->sites_cap, k->nsites + 1) ||
      !GROW(m, k->operands, m->operands_cap, k->noperands + n + 1)) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return 0;
  }
  tsr_callsite *s = &k->sites[k->nsites];
  memset(s, 0, sizeof *s);
  s->nargs = nargs;
  s->nrets = nrets;
  s->first = k->noperands;
  k->noperands += n;
  return k->nsites++;
}

void tsr_emit_operand(emitter *m, uint32_t site, uint32_t index, uint32_t operand) {
  if (m->status != TSR_OK) return;
  m->code->operands[m->code->sites[site].first + index] = operand;
}

/* ---- blocks ---- */

static void scan_use(emitter *m, const tsr_ir_block *b, const tsr_ir_value *v, int32_t pos, bool nested) {
  value_info *i = tsr_emit_info(m, v);
  if (i->owner != b) return;
  i->last = pos;
  if (nested) i->nested_at = pos;
}

static void scan_nested(emitter *m, const tsr_ir_block *b, const tsr_ir_block *inner, int32_t pos) {
  for (const tsr_ir_node *n = inner->first; n != NULL; n = n->next) {
    for (uint32_t i = 0; i < n->nin; i++) scan_use(m, b, n->in[i], pos, true);
    for (uint32_t k = 0; k < n->nblocks; k++) scan_nested(m, b, n->blocks[k], pos);
  }
  for (uint32_t i = 0; i < inner->nrets; i++) scan_use(m, b, inner->rets[i], pos, true);
}

/* Last uses of what b owns.  Returns the number of nodes. */
static int32_t scan_block(emitter *m, const tsr_ir_block *b) {
  int32_t pos = 0;
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next, pos++) {
    for (uint32_t i = 0; i < n->nin; i++) scan_use(m, b, n->in[i], pos, false);
    for (uint32_t k = 0; k < n->nblocks; k++) scan_nested(m, b, n->blocks[k], pos);
  }
  for (uint32_t i = 0; i < b->nrets; i++) scan_use(m, b, b->rets[i], POS_END, false);
  return pos;
}

/* The value is dead: release its reference unless its last use did, give its register back. */
static void kill(emitter *m, const tsr_ir_value *v) {
  value_info *i = tsr_emit_info(m, v);
  if (i->reg == NO_REG) return;
  if (i->boxed && !i->cleared) tsr_emit_insn(m, TSR_BC_DROP, i->reg, 0, 0);
  i->cleared = true;
  if (i->pinned) return;
  if (i->home == NO_REG) tsr_emit_reg_free(m, i->reg);
  i->reg = NO_REG;
}

/* Values by the position at which they die. */
typedef struct dying_item { const tsr_ir_value *v; uint32_t next; } dying_item; /* next: index + 1 */
struct dying { uint32_t *heads; int32_t count; dying_item *items; uint32_t nitems; };

static void dying_add(emitter *m, struct dying *d, const tsr_ir_value *v) {
  const value_info *i = tsr_emit_info(m, v);
  if (i->last < 0 || i->last >= d->count) return;
  d->items[d->nitems] = (dying_item){v, d->heads[i->last]};
  d->heads[i->last] = ++d->nitems;
}

static bool dying_collect(emitter *m, struct dying *d, const tsr_ir_block *b, const tsr_ir_value *const *adopted, uint32_t nadopted) {
  size_t owned = (size_t)b->nparams + nadopted + 1;
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) owned += n->nout;
  d->heads = calloc((size_t)d->count + 1, sizeof *d->heads);
  d->items = calloc(owned, sizeof *d->items);
  if (d->heads == NULL || d->items == NULL) return false;
  for (uint32_t i = 0; i < b->nparams; i++) dying_add(m, d, b->params[i]);
  for (uint32_t i = 0; i < nadopted; i++) dying_add(m, d, adopted[i]);
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next)
    for (uint32_t i = 0; i < n->nout; i++) dying_add(m, d, n->out[i]);
  return true;
}

uint32_t tsr_emit_adoptable(emitter *m, const tsr_ir_value ***out) {
  const struct dying *d = m->dying;
  uint32_t count = 0;
  for (uint32_t at = d->heads[m->pos]; at != 0; at = d->items[at - 1].next) count++;
  const tsr_ir_value **vs = calloc((size_t)count + 1, sizeof *vs);
  *out = vs;
  if (vs == NULL) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return 0;
  }
  count = 0;
  for (uint32_t at = d->heads[m->pos]; at != 0; at = d->items[at - 1].next) {
    const value_info *i = tsr_emit_info(m, d->items[at - 1].v);
    if (i->boxed && i->nested_at == m->pos && i->reg != NO_REG) vs[count++] = d->items[at - 1].v;
  }
  return count;
}

static void own_all(emitter *m, const tsr_ir_block *b, const tsr_ir_value *const *adopted, uint32_t nadopted) {
  for (uint32_t i = 0; i < b->nparams; i++) own(m, b->params[i], b);
  for (uint32_t i = 0; i < nadopted; i++) own(m, adopted[i], b);
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next)
    for (uint32_t i = 0; i < n->nout; i++) own(m, n->out[i], b);
}

static void kill_unused(emitter *m, const tsr_ir_value *const *vs, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (tsr_emit_info(m, vs[i])->last == POS_NEVER) kill(m, vs[i]);
}

static void emit_nodes(emitter *m, const tsr_ir_block *b, struct dying *d) {
  const tsr_loc *outer_loc = m->loc;
  int32_t pos = 0;
  for (const tsr_ir_node *n = b->first; n != NULL && m->status == TSR_OK; n = n->next, pos++) {
    m->block = b;
    m->pos = pos;
    m->dying = d;
    m->loc = n->loc != NULL ? n->loc : outer_loc;
    tsr_emit_node(m, n);
    kill_unused(m, (const tsr_ir_value *const *)n->out, n->nout);
    for (uint32_t at = d->heads[pos]; at != 0; at = d->items[at - 1].next) kill(m, d->items[at - 1].v);
  }
}

void tsr_emit_block(emitter *m, const tsr_ir_block *b, const tsr_ir_value *const *adopted, uint32_t nadopted) {
  const tsr_ir_block *outer = m->block;
  int32_t outer_pos = m->pos;
  const tsr_loc *outer_loc = m->loc;
  struct dying *outer_dying = m->dying, d = {0};
  own_all(m, b, adopted, nadopted);
  d.count = scan_block(m, b);
  if (dying_collect(m, &d, b, adopted, nadopted)) {
    kill_unused(m, (const tsr_ir_value *const *)b->params, b->nparams);
    kill_unused(m, adopted, nadopted);
    emit_nodes(m, b, &d);
  } else {
    tsr_emit_fail(m, TSR_ENOMEM);
  }
  free(d.heads);
  free(d.items);
  m->block = outer;
  m->pos = outer_pos;
  m->loc = outer_loc;
  m->dying = outer_dying;
}

/* ---- loading several values at once ---- */

static uint32_t source_of(emitter *m, const tsr_ir_value *v) { return tsr_emit_is_const(v) ? NO_REG : tsr_emit_info(m, v)->reg; }

/* Load v; a boxed value is moved when nothing needs it any more: at the end of b when it ends with b, no later load
 * names it and none keeps it in place; elsewhere (b == NULL) when it dies at the node. */
static void load_one(emitter *m, const tsr_ir_block *b, const tsr_ir_value *v, uint32_t reg) {
  value_info *info = tsr_emit_info(m, v);
  bool last = --info->left == 0 && !info->stays;
  tsr_emit_load(m, reg, v, last && (b != NULL ? info->owner == b && info->last == POS_END : tsr_emit_dies(m, v)));
}

/* Copies as if all at once.  reg_mark: how many that wait read the register. */
typedef struct group {
  emitter *m;
  const tsr_ir_block *b;
  tsr_ir_value *const *vs;
  const uint32_t *dst;
  uint32_t n, left;
  uint32_t *state; /* COPY_WAITS, COPY_DONE, or the register that holds it meanwhile */
} group;
#define COPY_WAITS UINT32_MAX
#define COPY_DONE (UINT32_MAX - 1)

static void group_begin(group *g) {
  for (uint32_t i = 0; i < g->n; i++) {
    value_info *info = tsr_emit_info(g->m, g->vs[i]);
    uint32_t from = source_of(g->m, g->vs[i]);
    g->state[i] = COPY_WAITS;
    info->left++;
    if (from == g->dst[i]) info->stays = true;
    else if (from != NO_REG) g->m->reg_mark[from]++;
  }
}

static void group_copy(group *g, uint32_t i, uint32_t to) {
  uint32_t from = source_of(g->m, g->vs[i]);
  g->state[i] = to == g->dst[i] ? COPY_DONE : to;
  g->left--;
  if (from != NO_REG && from != g->dst[i]) g->m->reg_mark[from]--;
  load_one(g->m, g->b, g->vs[i], to);
}

/* A copy waits until nobody reads what it overwrites; where all wait for each other, one takes a register of its own. */
static void group_run(group *g) {
  emitter *m = g->m;
  while (g->left > 0 && m->status == TSR_OK) {
    uint32_t before = g->left, waits = 0;
    for (uint32_t i = g->n; i-- > 0;) {
      if (g->state[i] != COPY_WAITS) continue;
      if (source_of(m, g->vs[i]) == g->dst[i] || m->reg_mark[g->dst[i]] == 0) group_copy(g, i, g->dst[i]);
      else waits = i;
    }
    if (g->left == before) group_copy(g, waits, tsr_emit_reg_new(m));
  }
  for (uint32_t i = 0; i < g->n && m->status == TSR_OK; i++) {
    if (g->state[i] == COPY_DONE) continue;
    tsr_emit_insn(m, TSR_BC_MOVE, g->dst[i], g->state[i], 0);
    tsr_emit_reg_free(m, g->state[i]);
  }
}

static void load_group(emitter *m, const tsr_ir_block *b, tsr_ir_value *const *vs, uint32_t n, const uint32_t *dst) {
  group g = {m, b, vs, dst, n, n, calloc((size_t)n + 1, sizeof *g.state)};
  if (g.state == NULL) tsr_emit_fail(m, TSR_ENOMEM);
  if (g.state != NULL && GROW(m, m->reg_mark, m->reg_mark_cap, m->code->nregs + 1)) {
    group_begin(&g);
    group_run(&g);
    for (uint32_t i = 0; i < n; i++) tsr_emit_info(m, vs[i])->stays = false;
  }
  free(g.state);
}

void tsr_emit_loads(emitter *m, tsr_ir_value *const *vs, uint32_t n, const uint32_t *dst) { load_group(m, NULL, vs, n, dst); }

static void rets_release(emitter *m, const tsr_ir_block *b) {
  for (uint32_t i = 0; i < b->nrets; i++) {
    value_info *info = tsr_emit_info(m, b->rets[i]);
    if (info->owner != b || info->last != POS_END || info->reg == NO_REG || info->pinned) continue;
    if (info->home == NO_REG) tsr_emit_reg_free(m, info->reg);
    info->reg = NO_REG;
  }
}

void tsr_emit_rets(emitter *m, const tsr_ir_block *b, uint32_t from, const uint32_t *dst) {
  if (b->nrets > from) load_group(m, b, b->rets + from, b->nrets - from, dst);
  rets_release(m, b);
}

/* ---- the function ---- */

static void emit_return(emitter *m, const tsr_ir_block *b) {
  uint32_t reg = tsr_emit_reg_new(m);
  if (b->nrets == 0) tsr_emit_insn(m, TSR_BC_LOADK, reg, tsr_emit_const(m, tsr_none()), 0);
  else tsr_emit_rets(m, b, 0, &reg);
  tsr_emit_insn(m, TSR_BC_RETURN, reg, 0, 0);
}

/* A jump forward to a jump goes where that goes. */
static void thread_jumps(tsr_bytecode *k) {
  for (uint32_t pc = k->ninsns; pc-- > 0;) {
    tsr_insn *in = &k->insns[pc];
    int32_t *to = in->op == TSR_BC_JUMP ? &in->a : tsr_opcode_jumps(in->op) ? &in->c : NULL;
    while (to != NULL && *to > (int32_t)pc && k->insns[*to].op == TSR_BC_JUMP && k->insns[*to].a > *to) *to = k->insns[*to].a;
  }
}

static void emit_fn(emitter *m) {
  const tsr_ir_block *b = m->fn->body;
  m->code->nparams = b->nparams;
  for (uint32_t i = 0; i < b->nparams; i++) tsr_emit_info(m, b->params[i])->reg = m->code->nregs++;
  tsr_emit_coalesce(m);
  if (m->status == TSR_OK) tsr_emit_block(m, b, NULL, 0);
  if (m->status == TSR_OK) emit_return(m, b);
  if (m->status == TSR_OK) thread_jumps(m->code);
}

static void emitter_dispose(emitter *m) {
  free(m->vals);
  free(m->free_regs);
  free(m->const_index);
  free(m->reg_mark);
}

tsr_status tsr_emit_fn(const tsr_emit_env *env, tsr_errrec *e, const tsr_ir_fn *fn, tsr_bytecode **out) {
  emitter m = {.env = env, .e = e, .fn = fn, .nvals = fn->next_id};
  m.code = calloc(1, sizeof *m.code);
  m.vals = calloc((size_t)m.nvals + 1, sizeof *m.vals);
  if (m.code == NULL || m.vals == NULL) {
    free(m.code);
    free(m.vals);
    return tsr_fail_nomem(e);
  }
  for (uint32_t i = 0; i < m.nvals; i++) m.vals[i].reg = m.vals[i].home = NO_REG;
  m.code->name = fn->name;
  m.code->schema = fn->schema;
  emit_fn(&m);
  tsr_status s = m.status;
  emitter_dispose(&m);
  if (s == TSR_OK) s = tsr_bytecode_verify(m.code, UINT32_MAX, e);
  if (s != TSR_OK) {
    tsr_bytecode_free(m.code);
    return s;
  }
  tsr_bytecode_link(m.code);
  *out = m.code;
  return TSR_OK;
}
