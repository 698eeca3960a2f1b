"""Random well-typed programs of the TorchScript language.

make(seed) gives the source of a function `program` (and of what it calls) and its arguments; the same seed gives the same
program on every machine.  This file knows the grammar and the types, nothing of what a program should answer: it needs
neither PyTorch nor tsrun.  A tensor argument is a pair ("tensor", nested lists).
"""
import random

SCALARS = ["int", "float", "bool", "str"]
LISTS = ["List[int]", "List[float]", "List[str]", "List[bool]"]
OTHERS = ["Dict[str, int]", "Dict[int, float]", "Tuple[int, str]", "Optional[int]", "Vec", "Mat", "IVec"]
TYPES = SCALARS + LISTS + OTHERS
ANNOTATION = {"Vec": "Tensor", "Mat": "Tensor", "IVec": "Tensor"}  # three floats, two by three floats, three integers
PARTS = {"List[int]": "int", "List[float]": "float", "List[str]": "str", "List[bool]": "bool"}
WORDS = ["", "a", "b", "ab", "abc", "Hello World", "  pad\\t", "x,y,,z", "1234", "-7", "a\\nb", "ABC", "mixedCase9", "zz top"]
INTS = [0, 1, -1, 2, 3, -3, 5, 7, 10, -10, 63, 100, 255, -128, 1000003, 2**31, -2**31, 2**62, 1 - 2**63, 2**63 - 1]
FLOATS = ["0.0", "1.0", "-1.0", "0.5", "-2.5", "3.25", "1e-3", "1e9", "-1e20", "100.125", "0.1", "2.0", "7.0"]


class Program:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.lines = []
        self.names = 0
        self.scopes = []     # of (name, type)
        self.fixed = set()   # names that must not be assigned
        self.loops = 0
        self.helpers = []    # (name, parameter types, result type)
        self.result = None

    # ---- small choices

    def pick(self, *options):
        return self.rng.choice(options)

    def chance(self, p):
        return self.rng.random() < p

    def fresh(self):
        self.names += 1
        return "v%d" % self.names

    def emit(self, depth, text):
        self.lines.append("    " * depth + text)

    def variables(self, type_, assignable=False):
        return [n for scope in self.scopes for n, t in scope if t == type_ and not (assignable and n in self.fixed)]

    # ---- expressions

    def expr(self, type_, depth=3):
        known = self.variables(type_)
        if known and self.chance(0.45 if depth > 0 else 0.8):
            return self.rng.choice(known)
        if depth <= 0:
            return self.literal(type_)
        calls = [h for h in self.helpers if h[2] == type_]
        if calls and self.chance(0.12):
            name, params, _ = self.rng.choice(calls)
            return "%s(%s)" % (name, ", ".join(self.expr(p, depth - 2) for p in params))
        if self.chance(0.08) and type_ not in ("Optional[int]",):
            return "(%s if %s else %s)" % (self.expr(type_, depth - 1), self.expr("bool", depth - 1), self.expr(type_, depth - 1))
        return getattr(self, "expr_" + type_.split("[")[0].lower())(type_, depth - 1)

    def literal(self, type_):
        if type_ == "int":
            n = self.rng.choice(INTS) if self.chance(0.5) else self.rng.randint(-20, 20)
            return "(%d)" % n if n < 0 else str(n)
        if type_ == "float":
            x = self.rng.choice(FLOATS) if self.chance(0.9) else self.pick('float("inf")', 'float("nan")', '-float("inf")')
            return "(%s)" % x if x[0] == "-" else x
        if type_ == "bool":
            return self.pick("True", "False")
        if type_ == "str":
            return '"%s"' % self.rng.choice(WORDS)
        if type_ in PARTS:
            items = [self.literal(PARTS[type_]) for _ in range(self.rng.randint(1, 4))]
            return "[%s]" % ", ".join(items)
        if type_ == "Dict[str, int]":
            keys = self.rng.sample(["a", "b", "c", "dd", ""], self.rng.randint(1, 4))
            return "{%s}" % ", ".join('"%s": %s' % (k, self.literal("int")) for k in keys)
        if type_ == "Dict[int, float]":
            keys = self.rng.sample(range(-3, 6), self.rng.randint(1, 4))
            return "{%s}" % ", ".join("%d: %s" % (k, self.literal("float")) for k in keys)
        if type_ == "Tuple[int, str]":
            return "(%s, %s)" % (self.literal("int"), self.literal("str"))
        if type_ == "Optional[int]":
            return "maybe(%s, %s)" % (self.literal("int"), self.literal("bool"))
        if type_ == "IVec":
            return "torch.tensor([%s])" % ", ".join(str(self.rng.randint(-9, 9)) for _ in range(3))
        row = lambda: "[%s]" % ", ".join(self.rng.choice(FLOATS[:12]) for _ in range(3))
        return "torch.tensor(%s)" % (row() if type_ == "Vec" else "[%s, %s]" % (row(), row()))

    def expr_int(self, _, d):
        e = lambda t="int": self.expr(t, d)
        k = self.rng.randint(1, 9)
        return self.pick(
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*", "&", "|", "^"), e()),
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*"), e()),
            lambda: "(%s %s %d)" % (e(), self.pick("//", "%"), self.pick(k, -k)),
            lambda: "(%s // %s)" % (e(), e()) if self.chance(0.2) else "(-%s)" % e(),
            lambda: "(%s %s %d)" % (e(), self.pick("<<", ">>"), k),
            lambda: "abs(%s)" % e(),
            lambda: "%s(%s, %s)" % (self.pick("min", "max"), e(), e()),
            lambda: "int(%s)" % e(self.pick("float", "bool")),
            lambda: "len(%s)" % e(self.pick("str", "List[int]", "List[float]", "List[str]", "Dict[str, int]")),
            lambda: "%s[%s]" % (e("List[int]"), self.index()),
            lambda: "%s[0]" % e("Tuple[int, str]"),
            lambda: "%s[%s]" % (e("Dict[str, int]"), e("str")) if self.chance(0.2) else "%s.get(%s, %s)" % (e("Dict[str, int]"), e("str"), e()),
            lambda: "%s.%s(%s)" % (e("str"), self.pick("find", "rfind"), self.text()),
            lambda: "%s.count(%s)" % (e("str"), self.text(1)),
            lambda: "%s.count(%s)" % (e("List[int]"), e()),
            lambda: "sum(%s)" % e(self.pick("List[int]", "List[bool]")),
            lambda: "%s(%s)" % (self.pick("max", "min"), e("List[int]")),
            lambda: "ord(%s)" % self.pick('"a"', '" "', '"9"'),
            lambda: "math.gcd(%s, %d)" % (e(), k),
            lambda: "divmod(%s, %d)[%d]" % (e(), k, self.rng.randint(0, 1)),
            lambda: "unless(%s, %s)" % (e("Optional[int]"), e()),
            lambda: "int(torch.sum(%s).item())" % e("IVec"),
            lambda: "%s.size(%d)" % (e("Mat"), self.rng.randint(-2, 1)),
            lambda: "hash(%s)" % e(self.pick("int", "str", "bool")))()

    def expr_float(self, _, d):
        e = lambda t="float": self.expr(t, d)
        return self.pick(
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*", "/", "//", "%"), e()),
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*"), e()),
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*", "/"), e("int")),
            lambda: "(%s / %s)" % (e("int"), e("int")),
            lambda: "(-%s)" % e(), lambda: "abs(%s)" % e(), lambda: "float(%s)" % e(self.pick("int", "bool")),
            lambda: "%s(%s, %s)" % (self.pick("min", "max"), e(), e()),
            lambda: "%s[%s]" % (e("List[float]"), self.index()),
            lambda: "sum(%s)" % e("List[float]"),
            lambda: "math.%s(%s)" % (self.pick("sqrt", "sin", "cos", "tanh", "exp", "atan", "fabs", "degrees", "log1p"), e()),
            lambda: "math.%s(%s, %s)" % (self.pick("atan2", "copysign", "fmod"), e(), e()),
            lambda: "round(%s)" % e(),
            lambda: "(%s ** %d)" % (e(), self.rng.randint(-2, 3)),
            lambda: "%s.get(%s, %s)" % (e("Dict[int, float]"), e("int"), e()),
            lambda: "float(%s.%s().item())" % (e(self.pick("Vec", "Mat")), self.pick("sum", "max", "min", "mean")),
            lambda: "float(%s[%d])" % (e("Vec"), self.rng.randint(-3, 2)))()

    def expr_bool(self, _, d):
        e = lambda t="bool": self.expr(t, d)
        compare = lambda: self.pick("<", "<=", ">", ">=", "==", "!=")
        same = self.pick("int", "float", "str")
        return self.pick(
            lambda: "(%s %s %s)" % (e(same), compare(), e(same)), lambda: "(%s %s %s)" % (e("int"), compare(), e("float")),
            lambda: "(%s %s %s)" % (e(), self.pick("and", "or"), e()), lambda: "(not %s)" % e(),
            lambda: "(%s %s %s)" % (e("int"), self.pick("in", "not in"), e(self.pick("List[int]", "Dict[int, float]"))),
            lambda: "(%s in %s)" % (e("str"), e(self.pick("List[str]", "Dict[str, int]", "str"))),
            lambda: "(%s %s %s)" % (e("List[int]"), self.pick("==", "!="), e("List[int]")),
            lambda: "(%s == %s)" % (e("List[str]"), e("List[str]")),
            lambda: "%s.%s(%s)" % (e("str"), self.pick("startswith", "endswith"), self.text()),
            lambda: "%s.%s()" % (e("str"), self.pick("isdigit", "isalpha", "isupper", "islower", "isspace", "isalnum", "istitle", "isnumeric", "isdecimal")),
            lambda: "bool(%s)" % e(self.pick("int", "float")),
            lambda: "(%s is %sNone)" % (e("Optional[int]"), self.pick("", "not ")),
            lambda: "math.%s(%s)" % (self.pick("isnan", "isinf", "isfinite"), e("float")),
            lambda: "%s(%s)" % (self.pick("any", "all"), e("List[bool]")),
            lambda: "bool((%s %s %s).%s())" % (e("Vec"), compare(), e("Vec"), self.pick("any", "all")))()

    def text(self, least=0):
        """A short string that does not make a search endless."""
        return '"%s"' % self.rng.choice(["a", "b", "l", ",", " ", "ab", "lo", "zz"] if least or self.chance(0.9) else ["abc"])

    def index(self):
        return str(self.rng.randint(-1, 0)) if self.chance(0.9) else str(self.rng.randint(-4, 4))

    def cut(self):
        """A slice."""
        at = lambda: self.pick("", str(self.rng.randint(-4, 5)))
        step = self.pick("", "", ":2", ":-1", ":-2", ":3")
        return "[%s:%s%s]" % (at(), at(), step)

    def expr_str(self, _, d):
        e = lambda t="str": self.expr(t, d)
        return self.pick(
            lambda: "(%s + %s)[:40]" % (e(), e()), lambda: "%s%s" % (e(), self.cut()), lambda: "%s[%s]" % (e(), self.index()) if self.chance(0.3) else e(),
            lambda: "%s.%s()" % (e(), self.pick("upper", "lower", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "expandtabs")),
            lambda: "%s.%s(%s)" % (e(), self.pick("strip", "lstrip", "rstrip"), self.text()),
            lambda: "%s.replace(%s, %s)[:40]" % (e(), self.text(1), self.text()),
            lambda: "%s.%s(%d, %s)" % (e(), self.pick("center", "ljust", "rjust"), self.rng.randint(0, 9), self.pick('"*"', '" "')),
            lambda: "%s.zfill(%d)" % (e(), self.rng.randint(0, 7)),
            lambda: "str(%s)" % e(self.pick("int", "float", "bool", "List[int]", "List[float]", "Tuple[int, str]", "Dict[str, int]", "List[bool]")),
            lambda: "%s.join(%s)[:60]" % (self.text(), e("List[str]")),
            lambda: '"%s".format(%s, %s)' % (self.pick("{} {}", "{}{}!", "<{}|{}>"), e(self.pick("int", "float", "str")), e(self.pick("bool", "List[int]"))),
            lambda: 'f"{%s}-{%s}"' % (self.name_of("int"), self.name_of("str")),
            lambda: '("%s" %% (%s, %s))' % (self.pick("%d:%s", "%i %s"), e("int"), e()),
            lambda: '("%s" %% %s)' % (self.pick("%f", "%e", "%s"), self.name_of("float")),
            lambda: "%s[1]" % e("Tuple[int, str]"), lambda: "%s[%s]" % (e("List[str]"), self.index()),
            lambda: "%s.%s(%s)[%d]" % (e(), self.pick("partition", "rpartition"), self.text(1), self.rng.randint(0, 2)),
            lambda: "%s(%s)" % (self.pick("hex", "oct", "bin"), e("int")), lambda: "chr(%d)" % self.rng.randint(32, 126))()

    def name_of(self, type_):
        known = self.variables(type_)
        return self.rng.choice(known)

    def expr_list(self, type_, d):
        part = PARTS[type_]
        e = lambda t=type_: self.expr(t, d)
        options = [
            lambda: "[%s]" % ", ".join(e(part) for _ in range(self.rng.randint(1, 3))),
            lambda: "(%s + %s)[:30]" % (e(), e()), lambda: "%s%s" % (e(), self.cut()), lambda: "%s.copy()" % e(),
            lambda: "(%s * %d)[:30]" % (e(), self.rng.randint(0, 3)), lambda: "list(%s)" % e()]
        x = self.fresh()
        if type_ != "List[bool]":
            options.append(lambda: "sorted(%s)" % e())
        source = self.pick("int", "float", "str")
        options.append(lambda: "[%s for %s in %s]" % (self.within([(x, source)], part, d), x, e("List[%s]" % source)))
        options.append(lambda: "[%s for %s in range(%d)]" % (self.within([(x, "int")], part, d), x, self.rng.randint(0, 4)))
        if type_ == "List[int]":
            options += [lambda: "list(%s.keys())" % e("Dict[int, float]"), lambda: "list(%s.values())" % e("Dict[str, int]"), lambda: "%s.tolist_ints()" % e("IVec")]
        if type_ == "List[float]":
            options.append(lambda: "list(%s.values())" % e("Dict[int, float]"))
        if type_ == "List[str]":
            options += [lambda: "%s.split(%s)" % (e("str"), self.pick("", '","', '" "', '"a"')), lambda: "list(%s)" % e("str"),
                        lambda: "%s.splitlines()" % e("str"), lambda: "list(%s.keys())" % e("Dict[str, int]"), lambda: '%s.rsplit(",", 1)' % e("str")]
        text = self.rng.choice(options)()
        return text if ".tolist_ints()" not in text else self.literal(type_)

    def within(self, names, type_, d):
        self.scopes.append(names)
        self.fixed |= {n for n, _ in names}
        text = self.expr(type_, d)
        self.scopes.pop()
        return text

    def expr_dict(self, type_, d):
        key, value = type_[5:-1].split(", ")
        e = lambda t=type_: self.expr(t, d)
        x = self.fresh()
        return self.pick(
            lambda: self.literal(type_), lambda: "%s.copy()" % e(),
            lambda: "{%s: %s for %s in %s}" % (x, self.within([(x, key)], value, d), x, e("List[%s]" % key)),
            lambda: "{%s: %s, %s: %s}" % (e(key), e(value), e(key), e(value)))()

    def expr_tuple(self, _, d):
        return "(%s, %s)" % (self.expr("int", d), self.expr("str", d))

    def expr_optional(self, _, d):
        return "maybe(%s, %s)" % (self.expr("int", d), self.expr("bool", d))

    def expr_vec(self, _, d):
        e = lambda t="Vec": self.expr(t, d)
        return self.pick(
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*", "/"), e()), lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*"), e("float")),
            lambda: "(%s + %s)" % (e(), e("int")) if self.chance(0.5) else "(%s * %s)" % (e(), e("IVec")),
            lambda: "%s.%s()" % (e(), self.pick("abs", "relu", "neg", "clone", "tanh", "floor", "sign", "sigmoid")),
            lambda: "%s[%d]" % (e("Mat"), self.rng.randint(-2, 1)), lambda: "%s.sum(0)" % e("Mat"), lambda: "%s.float()" % e("IVec"),
            lambda: "torch.clamp(%s, %s, %s)" % (e(), "-1.0", "2.0"), lambda: "torch.where(%s > 0, %s, %s)" % (e(), e(), e()),
            lambda: "%s.flip(0)" % e(), lambda: "%s.t()[1:].mean(0).repeat(2)[:3]" % e("Mat"), lambda: "torch.cat([%s[:1], %s[1:]])" % (e(), e()),
            lambda: "%s.masked_fill(%s < 0, %s)" % (e(), e(), e("float")), lambda: "(%s @ torch.ones(3, 3))" % e(), lambda: "torch.tensor(%s)" % self.literal_vec())()

    def literal_vec(self):
        return "[%s, %s, %s]" % tuple(self.expr("float", 0) for _ in range(3))

    def expr_mat(self, _, d):
        e = lambda t="Mat": self.expr(t, d)
        return self.pick(
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*"), e(self.pick("Mat", "Vec", "float"))),
            lambda: "torch.stack([%s, %s])" % (e("Vec"), e("Vec")), lambda: "%s.t().contiguous().t()" % e(), lambda: "%s.view(3, 2).reshape(2, 3)" % e(),
            lambda: "%s.%s()" % (e(), self.pick("abs", "relu", "neg", "clone", "exp")), lambda: "%s.expand(2, 3)" % e("Vec"),
            lambda: "%s.cumsum(%d)" % (e(), self.rng.randint(0, 1)), lambda: "torch.softmax(%s, 1)" % e(), lambda: "%s[:, [2, 0, 1]]" % e())()

    def expr_ivec(self, _, d):
        e = lambda t="IVec": self.expr(t, d)
        return self.pick(
            lambda: "(%s %s %s)" % (e(), self.pick("+", "-", "*", "//", "%"), e(self.pick("IVec", "int"))) if self.chance(0.3) else "(%s + %s)" % (e(), e()),
            lambda: "%s.%s()" % (e(), self.pick("abs", "neg", "clone")), lambda: "%s.argsort()" % e("Vec"), lambda: "(%s > %s).long()" % (e("Vec"), e("float")),
            lambda: "torch.sort(%s)[0]" % e(), lambda: "%s.long()" % e("bools"), lambda: "(torch.arange(3) + %s)" % e("int"))() if d > 0 else self.literal("IVec")

    def expr_bools(self, _, d):
        return "(%s > 0)" % self.expr("Vec", d)

    # ---- statements

    def statement(self, depth, budget):
        kinds = [self.declare] * 3 + [self.assign] * 3 + [self.augment] * 2 + [self.mutate] * 4 + [self.tensor_write] * 2 + [self.show]
        if depth < 4 and budget > 0:
            kinds += [self.branch] * 3 + [self.loop] * 2
        kinds += [self.leave, self.complain] if self.chance(0.3) else []
        self.rng.choice(kinds)(depth, budget)

    def block(self, depth, budget, names=()):
        self.scopes.append(list(names))
        before = len(self.lines)
        for _ in range(self.rng.randint(1, 3)):
            self.statement(depth, budget - 1)
        if len(self.lines) == before:
            self.emit(depth, "pass")
        self.scopes.pop()

    def declare(self, depth, _):
        type_ = self.rng.choice(TYPES)
        value, name = self.expr(type_), self.fresh()
        self.emit(depth, "%s: %s = %s" % (name, ANNOTATION.get(type_, type_), value))
        self.scopes[-1].append((name, type_))

    def assign(self, depth, _):
        type_ = self.rng.choice(TYPES)
        names = self.variables(type_, True)
        if names:
            self.emit(depth, "%s = %s" % (self.rng.choice(names), self.expr(type_)))

    def augment(self, depth, _):
        type_ = self.pick("int", "float", "str", "List[int]", "Vec", "IVec")
        names = self.variables(type_, True)
        if not names:
            return
        name = self.rng.choice(names)
        if type_ == "str":
            self.emit(depth, "%s += %s[:5]" % (name, self.expr("str")))
        elif type_ == "List[int]":
            self.emit(depth, "%s += %s[:3]" % (name, self.expr(type_)))
        else:
            self.emit(depth, "%s %s= %s" % (name, self.pick("+", "-", "*"), self.expr(type_)))

    def mutate(self, depth, _):
        type_ = self.pick("List[int]", "List[float]", "List[str]", "Dict[str, int]", "Dict[int, float]")
        names = self.variables(type_)
        if not names:
            return
        x = self.rng.choice(names)
        if type_.startswith("Dict"):
            key, value = type_[5:-1].split(", ")
            k, v = self.expr(key, 1), self.expr(value, 1)
            self.emit(depth, self.pick("%s[%s] = %s" % (x, k, v), "%s.setdefault(%s, %s)" % (x, k, v), "%s.update({%s: %s})" % (x, k, v),
                                       "if %s in %s: del %s[%s]" % (k, x, x, k), "%s.pop(%s, %s)" % (x, k, v), "if len(%s) > 3: %s.popitem()" % (x, x)))
            return
        part = PARTS[type_]
        v = self.expr(part, 1)
        i = self.rng.randint(-3, 3)
        self.emit(depth, self.pick(
            "%s.append(%s)" % (x, v), "%s.append(%s)" % (x, v), "%s.insert(%d, %s)" % (x, i, v), "%s.extend(%s[:3])" % (x, self.expr(type_, 1)),
            "%s.reverse()" % x, "%s.sort()" % x, "%s.sort(reverse=True)" % x, "if len(%s) > 1: %s.pop()" % (x, x), "if len(%s) > %d: %s.pop(%d)" % (x, abs(i), x, i),
            "if %s in %s: %s.remove(%s)" % (v, x, x, v), "%s[%s] = %s" % (x, self.index(), v), "if len(%s) > 1: del %s[0]" % (x, x),
            "if len(%s) > 6: %s.clear()" % (x, x)))

    def tensor_write(self, depth, _):
        type_ = self.pick("Vec", "Mat", "IVec")
        names = self.variables(type_)
        if not names:
            return
        x = self.rng.choice(names)
        if type_ == "Mat":
            self.emit(depth, self.pick("%s[%d] = %s" % (x, self.rng.randint(-2, 1), self.expr("Vec", 1)), "%s[:, %d] = %s" % (x, self.rng.randint(-3, 2), self.expr("float", 1)),
                                       "%s.add_(%s)" % (x, self.expr("Vec", 1)), "%s[0].mul_(2)" % x, "%s[:, 1:] += 1" % x))
        elif type_ == "Vec":
            self.emit(depth, self.pick("%s[%d] = %s" % (x, self.rng.randint(-3, 2), self.expr("float", 1)), "%s[%s > 0] = %s" % (x, x, self.expr("float", 1)),
                                       "%s.%s_()" % (x, self.pick("relu", "neg", "abs")), "%s[1:].copy_(%s[:2])" % (x, self.expr("Vec", 1)), "%s.clamp_(-2.0, 2.0)" % x,
                                       "%s.add_(%s, alpha=2)" % (x, self.expr("Vec", 1))))
        else:
            self.emit(depth, self.pick("%s[%d] = %d" % (x, self.rng.randint(-3, 2), self.rng.randint(-9, 9)), "%s.mul_(%d)" % (x, self.rng.randint(-3, 3)),
                                       "%s[:2] += %s[1:]" % (x, self.expr("IVec", 1))))

    def show(self, depth, _):
        types = [self.pick("int", "float", "str", "bool", "List[int]", "Tuple[int, str]", "Dict[str, int]", "Optional[int]") for _ in range(self.rng.randint(1, 3))]
        self.emit(depth, "print(%s)" % ", ".join(self.expr(t, 1) for t in types))

    def branch(self, depth, budget):
        self.emit(depth, "if %s:" % self.expr("bool"))
        self.block(depth + 1, budget)
        if self.chance(0.3):
            self.emit(depth, "elif %s:" % self.expr("bool"))
            self.block(depth + 1, budget)
        if self.chance(0.6):
            self.emit(depth, "else:")
            self.block(depth + 1, budget)

    def loop(self, depth, budget):
        if self.loops >= 2:
            return
        self.loops += 1
        i = self.fresh()
        kind = self.rng.randint(0, 5)
        names = [(i, "int")]
        if kind == 0:
            self.emit(depth, "for %s in range(%d):" % (i, self.rng.randint(0, 4)))
        elif kind == 1:
            self.emit(depth, "for %s in range(%d, %d, %s):" % (i, self.rng.randint(-3, 3), self.rng.randint(-3, 6), self.pick("1", "2", "-1", "3")))
        elif kind == 2:
            part = self.pick("int", "float", "str")
            names = [(i, part)]
            self.emit(depth, "for %s in %s[:4]:" % (i, self.expr("List[%s]" % part)))
        elif kind == 3:
            v = self.fresh()
            names = [(i, "str"), (v, "int")]
            self.emit(depth, "for %s, %s in %s.items():" % (i, v, self.expr("Dict[str, int]")))
        elif kind == 4:
            v = self.fresh()
            names = [(i, "int"), (v, "str")]
            self.emit(depth, "for %s, %s in enumerate(%s[:4]):" % (i, v, self.expr("List[str]")))
        else:
            self.emit(depth, "%s = 0" % i)
            self.emit(depth, "while %s < %d and %s:" % (i, self.rng.randint(1, 4), self.expr("bool", 2)))
            self.emit(depth + 1, "%s += 1" % i)
        self.fixed |= {n for n, _ in names}
        self.block(depth + 1, budget, names)
        if self.chance(0.25):
            self.emit(depth + 1, "if %s:" % self.within(names, "bool", 1))
            self.emit(depth + 2, self.pick("break", "continue"))
        self.loops -= 1

    def leave(self, depth, _):
        if depth > 1 and self.result and self.chance(0.5):
            self.emit(depth, "if %s:" % self.expr("bool", 1))
            self.emit(depth + 1, "return " + self.expr(self.result, 1))

    def complain(self, depth, _):
        self.emit(depth, "if %s:" % self.expr("bool", 1))
        self.emit(depth + 1, self.pick('raise ValueError("bad " + %s)' % self.expr("str", 0), "assert %s, %s" % (self.expr("bool", 1), '"not so"'), 'raise RuntimeError("stop")'))

    # ---- whole programs

    def head(self, name, params, result):
        types = ["%s: %s" % (n, ANNOTATION.get(t, t)) for n, t in params]
        self.emit(0, "def %s(%s)%s:" % (name, ", ".join(types), " -> " + ANNOTATION.get(result, result) if result else ""))
        self.scopes = [list(params)]
        self.result = result

    def helper(self):
        name, result = "helper%d" % len(self.helpers), self.rng.choice(TYPES)
        kinds = ["int", "float", "str"] + self.rng.sample(TYPES, self.rng.randint(0, 2))
        self.head(name, [(self.fresh(), t) for t in kinds], result)
        for _ in range(self.rng.randint(1, 4)):
            self.statement(1, 1)
        self.emit(1, "return " + self.expr(result))
        self.helpers.append((name, kinds, result))

    def main(self):
        kinds = ["int", "float", "str"] + self.rng.sample(TYPES, self.rng.randint(1, 4))
        params = [(self.fresh(), t) for t in kinds]
        self.head("program", params, None)
        for _ in range(self.rng.randint(3, 9)):
            self.statement(1, 3)
        names = [n for n, _ in self.scopes[0]]
        self.emit(1, "return (%s,)" % ", ".join(names))
        return [self.argument(t) for t in kinds]

    def argument(self, type_):
        r = self.rng
        if type_ == "int":
            return r.choice(INTS) if self.chance(0.3) else r.randint(-20, 20)
        if type_ == "float":
            return float(r.choice(FLOATS))
        if type_ == "bool":
            return self.chance(0.5)
        if type_ == "str":
            return r.choice(WORDS).replace("\\t", "\t").replace("\\n", "\n")
        if type_ in PARTS:
            return [self.argument(PARTS[type_]) for _ in range(r.randint(1, 5))]
        if type_ == "Dict[str, int]":
            return {k: r.randint(-5, 99) for k in r.sample(["a", "b", "c", "dd", ""], r.randint(1, 4))}
        if type_ == "Dict[int, float]":
            return {k: float(r.choice(FLOATS)) for k in r.sample(range(-3, 6), r.randint(1, 4))}
        if type_ == "Tuple[int, str]":
            return (r.randint(-9, 9), r.choice(["", "one", "two words"]))
        if type_ == "Optional[int]":
            return None if self.chance(0.4) else r.randint(-9, 9)
        row = lambda: [float(r.choice(FLOATS[:6])) + r.randint(-3, 3) for _ in range(3)]
        return ("tensor", [r.randint(-9, 9) for _ in range(3)] if type_ == "IVec" else row() if type_ == "Vec" else [row(), row()])


PRELUDE = '''import math
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor


def maybe(n: int, given: bool) -> Optional[int]:
    if given:
        return n
    return None


def unless(n: Optional[int], other: int) -> int:
    if n is None:
        return other
    return n


'''


def make(seed):
    p = Program(seed)
    for _ in range(p.rng.randint(0, 2)):
        p.helper()
        p.emit(0, "")
        p.emit(0, "")
    arguments = p.main()
    return PRELUDE + "\n".join(p.lines) + "\n", arguments


if __name__ == "__main__":
    import sys
    text, given = make(int(sys.argv[1]))
    print(text)
    print("# arguments:", given)
