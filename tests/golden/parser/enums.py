class Color(Enum):
  RED = 1
  HALF = 1.5
  TEXT = "plain"
  RAW = "it's "raw" \n here"
class Other(Module):
  __parameters__ = ["a\tb", ]
  def f(self) -> str:
    class_ = "a\tb"
    return class_
