# a comment
def f(x, y):
    """text"""
    a, b = b, a
    a, = x
    (a, b), *c = y
    x.y[0].z = 3
    x[1:2, ::3, ..., None, -1:] += 4
    a = b.c = d = 5
    n : int
    m : List[int] = []
    del a, b[0],
    assert a == b, "differ"
    assert a
    raise ValueError("no")
    raise
    if a:
        pass
    elif b:
        return
    elif c:
        return 1,
    else:
        return 1, 2
    while not (a and
               b):  # inside brackets, no layout
      break

    for i, (j, k) in enumerate(zip(a, b)):
        continue
    for i, in range(3):
        x **= 2
    with a as b, c:
        def inner() -> int:
            return 1
        inner()
    print(a, sep="", *b)
    x = 1 + \
        2
def g(): return 1
