#!/usr/bin/env python3
"""Cuts the power of a state store, on paper: replays its file writes and drops what was not synced.

    0003-power-cut.py TEST-BINARY [CUTS] [SEED]

TEST-BINARY is the `crash` test of a store crate (`cargo test -p stowage-store-sled --test crash --no-run`). It is run as
a writer under strace. Then, at random points of the trace, the files are rebuilt as a disk could hold them after a power
cut: everything before the last completed fsync or fdatasync of a file, and of what came after it any subset of 4 KiB
pages, file lengths, new names and removals. The test checks each rebuilt directory against the commits that were answered
before the cut. Exits 1 if any answered commit is lost or torn. Needs Linux and strace.

IGNORE=fdatasync in the environment plays a disk on which that call does nothing: the control that must show losses.
"""
import os, random, re, shutil, signal, subprocess, sys, tempfile, time

TEST = "everything_answered_survives_sigkill"
CALLS = "openat,pwrite64,write,fdatasync,fsync,ftruncate,unlink,unlinkat"
PAGE = 4096


def record(binary, top, seconds):
    """Runs the writer under strace; answers the trace's path."""
    trace, state = os.path.join(top, "trace"), os.path.join(top, "state")
    environment = dict(os.environ, STOWAGE_CRASH_DIRECTORY=state)
    writer = subprocess.Popen(
        ["strace", "-f", "-y", "-xx", "-s", "100000000", "-e", "trace=" + CALLS, "-o", trace, binary, "--exact", TEST, "--nocapture"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    end = time.monotonic() + seconds
    for _ in writer.stdout:
        if time.monotonic() > end:
            break
    children = open(f"/proc/{writer.pid}/task/{writer.pid}/children").read().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    writer.stdout.read()
    writer.wait()
    return trace, state


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


LINE = re.compile(r"^(\d+) +(.*)$")


def events(trace):
    """(kind, id, text) for each call's begin and end, in order."""
    open_calls, number = {}, 0
    for line in open(trace):
        match = LINE.match(line.rstrip("\n"))
        if not match:
            continue
        thread, text = match.groups()
        if text.startswith("<..."):
            if thread in open_calls:
                call = open_calls.pop(thread)
                yield "end", call, text
            continue
        if text.startswith(("+++", "---")):
            continue
        number += 1
        if text.endswith("<unfinished ...>"):
            open_calls[thread] = number
            yield "begin", number, text
        else:
            yield "begin", number, text
            yield "end", number, text


class File:
    """A file's synced content, and what was done since: ('page', offset, bytes, id) and ('size', length, id)."""

    def __init__(self):
        self.synced, self.named, self.pending, self.at = bytearray(), False, [], 0

    @staticmethod
    def apply(content, change):
        if change[0] == "size":
            length = change[1]
            if length > len(content):
                content.extend(bytes(length - len(content)))
            elif change[2] == "set":
                del content[length:]
        else:
            offset, data = change[1], change[2]
            if len(content) < offset + len(data):
                content.extend(bytes(offset + len(data) - len(content)))
            content[offset:offset + len(data)] = data


class Disk:
    def __init__(self, root):
        self.root, self.files, self.done, self.removed = root, {}, set(), {}
        self.reports, self.syncs, self.writes = [], {}, {}

    def path(self, text):
        match = re.search(r"<((?:\\x[0-9a-f]{2})+)>", text)
        return unhex(match.group(1)).decode() if match else None

    def begin(self, call, text):
        name = text.split("(", 1)[0]
        if name in ("pwrite64", "write"):
            path = self.path(text)
            data = unhex(re.search(r'"((?:\\x[0-9a-f]{2})*)"', text).group(1))
            if path and path.startswith(self.root):
                file = self.files.setdefault(path, File())
                if name == "pwrite64":
                    rest = re.search(r'", \d+, (\d+)', text)
                    offset = int(rest.group(1))
                else:
                    offset, file.at = file.at, file.at + len(data)
                start = 0
                while start < len(data):
                    stop = min(len(data), start + PAGE - (offset + start) % PAGE)
                    file.pending.append(("page", offset + start, data[start:stop], call))
                    start = stop
            elif data.startswith(b"answered"):
                self.reports.append(data.decode())
        elif name in ("fdatasync", "fsync") and name != os.environ.get("IGNORE"):
            path = self.path(text)
            if path and path.startswith(self.root):
                covered = [c for c in self.files[path].pending if c[3] in self.done] if path in self.files else []
                self.syncs[call] = (path, covered)
        elif name == "ftruncate":
            path = self.path(text)
            if path and path.startswith(self.root):
                length = int(re.search(r", (\d+)\)?", text).group(1))
                self.files.setdefault(path, File()).pending.append(("size", length, "set", call))
        elif name in ("unlink", "unlinkat"):
            path = unhex(re.findall(r'"((?:\\x[0-9a-f]{2})*)"', text)[0]).decode()
            if path in self.files:
                self.removed[path] = self.files.pop(path)
        elif name == "openat" and "O_CREAT" in text:
            path = unhex(re.search(r'"((?:\\x[0-9a-f]{2})*)"', text).group(1)).decode()
            if path.startswith(self.root):
                self.files.setdefault(path, File())

    def end(self, call, _text):
        self.done.add(call)
        if call in self.syncs:
            path, covered = self.syncs.pop(call)
            file = self.files.get(path)
            if file is None:
                return  # A directory: names count as kept once the file is synced.
            file.named = True
            for change in file.pending:
                if any(change is one for one in covered):
                    File.apply(file.synced, change)
            file.pending = [c for c in file.pending if not any(c is one for one in covered)]

    def rebuild(self, target, chance):
        """Writes one state that the disk may be in."""
        keep = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        for path, file in {**self.removed, **self.files}.items():
            # A removal or a new name that was not synced may or may not have happened.
            if path in self.removed and (not file.named or chance.random() < 0.5):
                continue
            if not file.named and chance.random() > keep:
                continue
            content = bytearray(file.synced)
            for change in file.pending:
                if chance.random() < keep:
                    File.apply(content, change)
            out = os.path.join(target, os.path.relpath(path, self.root))
            os.makedirs(os.path.dirname(out), exist_ok=True)
            with open(out, "wb") as handle:
                handle.write(content)


def main():
    binary = os.path.abspath(sys.argv[1])
    cuts = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as top:
        trace, state = record(binary, top, float(os.environ.get("SECONDS_OF_WORK", "3")))
        log = list(events(trace))
        points = sorted(chance.sample(range(len(log) // 20, len(log)), cuts))
        disk, at, lost = Disk(state), 0, 0
        for point in points:
            while at < point:
                kind, call, text = log[at]
                getattr(disk, kind)(call, text)
                at += 1
            target, reports = os.path.join(top, "cut"), os.path.join(top, "reports")
            shutil.rmtree(target, ignore_errors=True)
            os.makedirs(os.path.join(target, "blobs"))
            disk.rebuild(target, chance)
            open(reports, "w").write("".join(disk.reports))
            environment = dict(os.environ, STOWAGE_CRASH_DIRECTORY=target, STOWAGE_CRASH_REPORTS=reports)
            check = subprocess.run([binary, "--exact", TEST, "--nocapture"], env=environment, capture_output=True, text=True)
            if check.returncode != 0:
                lost += 1
                said = [line for line in (check.stdout + check.stderr).splitlines() if line.strip()]
                print(f"cut at event {point} of {len(log)}: " + " | ".join(said[:6])[:600])
        print(f"{cuts} power cuts over {len(disk.reports)} answered commits: {lost} with a loss")
        return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
