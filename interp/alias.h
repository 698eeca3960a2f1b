/* What the code of a model may write: attributes that are set, attributes and constants whose contents
 * (tensor elements, list items, …) may change or become reachable from where they may.
 *
 * Everything is by class and slot, not by object.  A write is followed backwards from the operand to
 * where it comes from: views, containers, branches, loops.  What cannot be followed (stored in a
 * container or an attribute, passed to a call, returned) counts as written. */
#ifndef TSR_INTERP_ALIAS_H
#define TSR_INTERP_ALIAS_H

#include "interp/ir.h"
#include "interp/ptrset.h"

typedef struct tsr_writes {
  tsr_ptrset slots;      /* of classes: address of the attribute's name in the class; set or written */
  tsr_ptrset set_slots;  /* those that SETATTR names */
  tsr_ptrset names;      /* attribute names (of classes not known there), any copy: compared by text */
  tsr_ptrset consts;     /* objects of CONST nodes */
  tsr_ptrset storages;   /* bytes that a written attribute or constant holds */
  bool anything;         /* a write that could not be followed: nothing is known */
} tsr_writes;

/* A sort of objects, or of tuples with objects, calls __lt__: the index-th class; NULL when there are no more. */
const tsr_type *tsr_ir_sorted_class(const tsr_ir_node *n, uint32_t index);
void tsr_writes_dispose(tsr_writes *w);
/* SETATTR nodes of a function and of what it calls; seen: functions visited. */
void tsr_writes_add_sets(tsr_writes *w, const tsr_ir_fn *fn, tsr_ptrset *seen);
/* Writes in one function's body.  marked: if not NULL, ids of values that are or may be written or kept. */
void tsr_writes_add_body(tsr_writes *w, const tsr_ir_fn *fn, tsr_ptrset *marked);
bool tsr_writes_sets_slot(const tsr_writes *w, const tsr_class *cls, uint32_t slot);
bool tsr_writes_has_slot(const tsr_writes *w, const tsr_class *cls, uint32_t slot);
/* Storages under the written slots of an object graph. */
void tsr_writes_add_storages(tsr_writes *w, tsr_val root, bool written, tsr_ptrset *seen);
bool tsr_writes_touch_value(const tsr_writes *w, tsr_val v); /* some storage in v is written */

/* Nothing in the block (of a loop) can write elements of v, a tensor from outside of it. */
bool tsr_ir_block_spares(const tsr_ir_block *b, const tsr_ir_value *v);

#endif
