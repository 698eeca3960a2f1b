def f():
  a or b and c
  not a == b
  ~a + b
  a < b < c
  a is not b
  a not in b
  a in b is c
  a if b else c if d else e
  -2 ** 2
  2 ** -1
  2 ** 3 ** 4
  -a * b
  a * b // c % d @ e - f + g << h >> i & j ^ k | l
  -1.5 - 2.j
  [x.y for x in z if w else v]
  [x for x, in z]
  {k: v for k, v in z.items()}
  sum(x for x in y)
  ()
  (a,)
  (a)
  [a, *b,]
  {}
  {1: 2, "a": b,}
  f(a, b=c, *d,)
  x.is.not.class.None
  x[a, b][(a, b)][()]
  Tuple[()]
  True, False, None, NoneType, Ellipsis, ..., inf, nan
