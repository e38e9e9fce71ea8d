"""
A plugin of the aws CLI, versions 1 and 2, that runs commands in forks of the process that it was loaded into: most of the time
of a command is Python's start and the CLI's imports. What a fork runs is the CLI's own `main`, with arguments, environment,
working folder and standard streams of its own, as if it had just been started.

A request is a line of JSON on stdin: {"id", "args", "cwd", "env", "stdin"}; its answer, when the command has ended, a line on
stdout: {"id", "status", "stdout", "stderr"}. The first line on stdout says that it is ready: {"ready": true}.
"""

import gc
import json
import os
import sys
import tempfile
from multiprocessing import get_context
from multiprocessing.connection import wait

import awscli.clidriver

STDIN = 0


def awscli_initialize(_cli):
    """Called by the CLI. Never returns: nothing is wanted of the command that loaded the plugin."""
    del os.environ["AWS_CONFIG_FILE"]  # it names this plugin
    gc.freeze()  # a collection in a fork would copy the pages of what all of them share
    _say({"ready": True})
    running = {}
    unread = b""
    while True:
        for ready in wait([STDIN, *running]):
            if ready != STDIN:
                running.pop(ready).answer()
                continue
            read = os.read(STDIN, 65536)
            if not read:
                os._exit(0)
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                command = _Command(json.loads(line))
                running[command.process.sentinel] = command


class _Command:
    def __init__(self, request):
        self._id = request["id"]
        self._streams = [tempfile.TemporaryFile() for _ in range(3)]
        self._streams[0].write(request["stdin"].encode())
        self._streams[0].seek(0)
        self.process = get_context("fork").Process(target=self._run, args=(request,))
        self.process.start()

    def _run(self, request):
        for number, stream in enumerate(self._streams):
            os.dup2(stream.fileno(), number)
        sys.stdin = open(STDIN, closefd=False)
        os.chdir(request["cwd"])
        os.environ.update(request["env"])
        sys.argv[1:] = request["args"]
        sys.exit(awscli.clidriver.main())

    def answer(self):
        self.process.join()
        answer = {"id": self._id, "status": self.process.exitcode}
        for name, stream in zip(("stdout", "stderr"), self._streams[1:]):
            stream.seek(0)
            answer[name] = stream.read().decode(errors="replace")
        for stream in self._streams:
            stream.close()
        self.process.close()
        _say(answer)


def _say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
