def f():
  return ["", '', "a" 'b' """c""", "\\\'\"\a\b\f\n\r\t\v", "\001\1778\0", "é☃", """two
lines "quoted" "" end""", '''it's''', "a\
b", "it's", 'say "hi"']
