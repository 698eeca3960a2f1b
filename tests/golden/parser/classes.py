class Net(Module):
  __parameters__ = ["w", "b", ]
  __buffers__ = []
  __forward_hooks__ = ["post", "post", ]
  __annotations__ = []
  w : Tensor
  training : bool
  class : __torch__.A
  in : Optional[int]
  __annotations__["0"] = __torch__.torch.nn.modules.linear.Linear
  __annotations__["weird \"name\""] = List[Tensor]
  k : Final[int] = 3
  def forward(self: __torch__.Net,
    x: Tensor,
    n: int=-1,
    *,
    scale: float=inf,
    where: Device=torch.device("cpu"),
    pair: Tuple[int, int]=(1, 2)) -> Tuple[Tensor, Dict[str, List[int]]]:
    _0 = __torch__.helper
    w = self.class
    lin = getattr(self, "0")
    y = (lin).forward(x, )
    self.w = y
    return (y, {"a": [1, 2], "b": annotate(List[int], [])})
  def empty(self) -> None:
    pass
class Point(NamedTuple):
  x : int
  y : Tuple[()]
class Face(Interface):
  def m(self, x: Tensor) -> Tensor:
    pass
class Bare:
  capsule : Capsule
class Nothing:
def helper(x) -> NoneType:
  return None
