"""Work in slices, each in a process of its own: one that dies is told in the report, with what it was doing, and the next goes on."""
import ast
import mmap
import os


class Slices:
    def __init__(self, path):
        self.report = open(path, "w")
        self.page = mmap.mmap(-1, 1 << 16)
        self.alone = False

    def note(self, text):
        """What is being done, for the parent to read when this process dies."""
        self.page.seek(0)
        self.page.write(text.encode()[:32000] + b"\0")

    def each(self, items, work):
        """work(item) for each item in one child; how many of them are done with.  The one in which it died is to be tried again, first and alone:
        what an item before it left in memory may be the cause.  It is told in the report, and counts, if it dies so again."""
        self.page.seek(1 << 15)
        self.page.write(b"0" * 8)
        alone, self.alone = self.alone, False
        items = items[:1] if alone else items
        pid = os.fork()
        if pid == 0:
            try:
                for n, item in enumerate(items):
                    self.page.seek(1 << 15)
                    self.page.write(b"%08d" % n)
                    work(item)
                self.report.flush()
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        if status == 0:
            return len(items)
        self.page.seek(1 << 15)
        at = int(self.page.read(8))
        self.page.seek(0)
        if not alone:
            self.alone = True
            return at
        doing = self.page.read(1 << 15).split(b"\0")[0].decode("utf-8", "replace")
        head, _, call = doing.partition("\t")
        self.report.write("%s\t%s\t%s\tstatus %d\n" % (head, items[at], call, status))
        self.report.flush()
        return at + 1

    def run(self, name, work):
        """work() in a child; what it returned (plain Python values), or None after it died."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                result = repr(work())
                self.report.flush()
                os.write(write, result.encode())
                code = 0
            finally:
                os._exit(code)
        os.close(write)
        got = b""
        while True:
            part = os.read(read, 65536)
            if not part:
                break
            got += part
        os.close(read)
        _, status = os.waitpid(pid, 0)
        if status == 0:
            return ast.literal_eval(got.decode())
        self.page.seek(0)
        doing = self.page.read().split(b"\0")[0].decode("utf-8", "replace")
        self.report.write("%s\tDIED with status %d in: %s\n" % (name, status, doing))
        self.report.flush()
        return None
